"""How a delivery ends: the table of outcomes in docs/events.md, row by row."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from bridge.message import InboundMessage
from bridge.rejection import Rejection
from bridge.subjects import PLAN_APPROVED, STORY_TRANSITIONED
from domain.contract import PhaseChangedBody
from domain.inbound import Intake
from domain.plan import PlanRequest
from tests.support.deliveries import BACKOFF_S, MAX_DELIVER, House, RecordedDelivery, approval, transition


@pytest.fixture
def house() -> House:
    return House()


def test_a_delivery_is_read_with_its_place_and_count() -> None:
    message = approval("a", delivered=3).inbound
    assert (message.subject, message.place, message.delivered) == (PLAN_APPROVED, "S:1", 3)
    assert message.received_at == 1_700_000_000


def test_a_batch_is_offered_once_and_acknowledged(house: House) -> None:
    batch = [approval("a"), approval("b"), approval("c")]
    assert house.process(*batch) == 0.0
    assert house.broker.offers == [["a", "b", "c"]]
    assert [delivery.ends for delivery in batch] == [["acknowledged"]] * 3
    assert house.statistics.accepted == 3


def test_a_heartbeat_keeps_those_that_wait_while_a_batch_is_read(house: House) -> None:
    """Each may take long to read, by its author's choice; after the ack wait another bridge gets all of them."""
    seen: list[str] = []
    read = house.reader

    def reader(message: InboundMessage) -> Intake | Rejection:
        seen.append("read")
        return read(message)

    async def beat() -> None:
        while True:
            seen.append("beat")
            await asyncio.sleep(0)

    async def process() -> None:
        beating = asyncio.create_task(beat())
        await house.processor(reader).process([approval("a"), approval("b"), approval("c")])
        beating.cancel()

    asyncio.run(process())
    reads = [place for place, what in enumerate(seen) if what == "read"]
    assert all("beat" in seen[first:after] for first, after in itertools.pairwise(reads))


def test_nothing_is_acknowledged_before_the_dispatcher_has_returned(house: House) -> None:
    delivery = approval("a")
    offer = house.broker.plans

    def check_then_offer(requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        assert delivery.ends == []
        return offer(requests)

    house.broker.plans = check_then_offer  # type: ignore[method-assign]
    house.process(delivery)
    assert delivery.ends == ["acknowledged"]


def test_the_same_approval_twice_in_a_batch_is_offered_once(house: House) -> None:
    batch = [approval("a"), approval("a")]
    house.process(*batch)
    assert house.broker.offers == [["a"]]
    assert [delivery.ends for delivery in batch] == [["acknowledged"]] * 2


def test_other_content_under_a_key_that_is_taken_is_a_dead_letter_that_names_both(house: House) -> None:
    house.process(approval("a", title="first"))
    other, again, neighbour = approval("a", title="other", sequence=2), approval("a", title="first"), approval("b")
    house.process(other, again, neighbour)
    (_, reason), *more = house.sink.dead_letters
    assert more == []
    assert reason == (
        "S:2 has other content than S:1 under the same key (plan id a, revision 2026-01-31T12:00:00Z), so that one"
        " stands; send it under another idempotency_key, CloudEvents id or timestamp"
    )
    assert [delivery.ends for delivery in (other, again, neighbour)] == [["acknowledged"]] * 3
    assert (house.statistics.rejected, house.statistics.accepted) == (1, 3)


def test_two_contents_under_one_key_in_one_batch_are_one_request_and_one_dead_letter(house: House) -> None:
    house.process(approval("a", title="first"), approval("a", title="other"))
    assert house.broker.offers == [["a"]]
    assert len(house.sink.dead_letters) == 1
    assert house.statistics.accepted == 1


def test_a_conflict_is_found_where_redelivered_messages_are_offered_one_by_one(house: House) -> None:
    house.process(approval("a", title="first"))
    house.broker.refuses = frozenset({"bad"})
    house.process(approval("a", title="other", delivered=2), approval("bad", delivered=2))
    assert ["other content" in reason for _, reason in house.sink.dead_letters] == [True]


def test_a_message_that_does_not_parse_is_dead_lettered_then_acknowledged_and_its_neighbours_go_on(
    house: House,
) -> None:
    bad, good = RecordedDelivery({"roles": 5}), approval("a")
    assert house.process(bad, good) == 0.0
    assert house.sink.dead_letters == [("S:1", "field story_id is missing; add it (and 4 more)")]
    assert bad.ends == good.ends == ["acknowledged"]
    assert house.broker.offers == [["a"]]


def test_a_message_that_cannot_be_dead_lettered_gets_a_nak(house: House) -> None:
    house.sink.away = True
    bad = RecordedDelivery({})
    assert house.process(bad) == BACKOFF_S[0]
    assert bad.ends == ["nak for 1 s"]


@pytest.mark.parametrize(("delivered", "delay"), [(1, "1"), (2, "2"), (3, "5"), (4, "5"), (99, "5")])
def test_while_the_dispatcher_is_down_messages_get_naks_with_growing_delays(
    house: House, delivered: int, delay: str
) -> None:
    house.broker.down = True
    delivery = approval("a", delivered=delivered)
    assert house.process(delivery) == BACKOFF_S[0]
    assert delivery.ends == [f"nak for {delay} s"]
    assert house.statistics.naks == 1
    assert "no broker" in house.statistics.last_error


def test_a_fresh_batch_that_fails_is_not_tried_piece_by_piece(house: House) -> None:
    house.broker.down = True
    house.process(*(approval(str(number)) for number in range(10)))
    assert len(house.broker.offers) == 1


def test_one_bad_request_does_not_take_its_neighbours_along(house: House) -> None:
    house.broker.refuses = frozenset({"bad"})
    good = [approval(str(number), delivered=2) for number in range(10)]
    bad = approval("bad", delivered=2)
    assert house.process(*good[:5], bad, *good[5:]) == 0.0
    assert [delivery.ends for delivery in good] == [["acknowledged"]] * 10
    assert bad.ends == ["nak for 2 s"]


def test_an_outage_is_told_from_bad_requests_after_three_of_them(house: House) -> None:
    house.broker.down = True
    batch = [approval(str(number), delivered=2) for number in range(50)]
    assert house.process(*batch) == BACKOFF_S[0]
    assert len(house.broker.offers) == 4
    assert [delivery.ends for delivery in batch] == [["nak for 2 s"]] * 50


def test_the_last_delivery_is_dead_lettered_with_the_reason_why_it_failed(house: House) -> None:
    house.broker.down = True
    delivery = approval("a", delivered=MAX_DELIVER)
    assert house.process(delivery) == 0.0
    ((_, reason),) = house.sink.dead_letters
    assert reason == "not taken in 100 deliveries: ConnectionError: no broker at redis://127.0.0.1:1"
    assert delivery.ends == ["acknowledged"]


def test_an_ack_without_confirmation_is_counted_and_nothing_else(house: House) -> None:
    delivery = approval("a", confirms=False)
    assert house.process(delivery) == 0.0
    assert delivery.ends == ["acknowledged"]
    assert (house.statistics.accepted, house.statistics.unconfirmed) == (1, 1)


def phases(house: House) -> list[str]:
    """Return the phases entered, as answered."""
    bodies = [event.body for event in house.sink.events]
    return [body.to_phase for body in bodies if isinstance(body, PhaseChangedBody)]


def test_a_transition_is_answered_before_it_is_acknowledged() -> None:
    house = House(STORY_TRANSITIONED)
    done, build = transition("DONE"), transition("BUILD")
    assert house.process(done, build) == 0.0
    assert phases(house) == ["DONE", "BUILD"]
    assert house.broker.offers == [["s:BUILD"]]
    assert done.ends == build.ends == ["acknowledged"]


def test_a_transition_that_cannot_be_answered_gets_a_nak() -> None:
    house = House(STORY_TRANSITIONED)
    house.sink.away = True
    done = transition("DONE")
    house.process(done)
    assert done.ends == ["nak for 1 s"]


def test_a_transition_whose_request_was_not_taken_is_not_answered() -> None:
    house = House(STORY_TRANSITIONED)
    house.broker.down = True
    build, done = transition("BUILD"), transition("DONE")
    house.process(build, done)
    assert build.ends == ["nak for 1 s"]
    assert done.ends == ["acknowledged"]
    assert phases(house) == ["DONE"]


def test_a_reader_that_raises_costs_one_message_and_no_bridge(house: House) -> None:
    reader = house.reader

    def defective(message: InboundMessage) -> Intake | Rejection:
        if b"bad" in message.data:
            raise MemoryError
        return reader(message)

    house.reader = defective
    bad, good = approval("bad"), approval("good")
    house.process(bad, good)
    assert bad.ends == good.ends == ["acknowledged"]
    assert house.sink.dead_letters == [("S:1", "could not be read (MemoryError); this is a defect of the bridge")]


def test_deliveries_are_counted_repeated_ones_apart(house: House) -> None:
    house.process(approval("a"), approval("b", delivered=3))
    assert (house.statistics.fetched, house.statistics.redelivered) == (2, 1)
