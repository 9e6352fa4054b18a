"""How a delivery ends: the table of outcomes in docs/events.md, row by row."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from bridge.batch_processor import BatchProcessor
from bridge.delivery import Delivery
from bridge.intake import Reader, readers
from bridge.message import InboundMessage
from bridge.publication import PublicationFailed
from bridge.rejection import Rejection
from bridge.statistics import SubjectStatistics
from bridge.subjects import DELIBERATION_JUDGED, PLAN_APPROVED, STORY_TRANSITIONED
from domain.contract import PhaseChangedBody
from domain.errors import CannotJudge
from domain.event import Event
from domain.inbound import Intake
from domain.plan import PlanRequest
from domain.verdict import SaidVerdict

BACKOFF_S = (1.0, 2.0, 5.0)
MAX_DELIVER = 100


@dataclass
class Server:
    """A client of a server that writes down the ends of one delivery, and confirms an ack or not."""

    confirms: bool = True
    ends: list[str] = field(default_factory=list)

    async def request(self, subject: str, payload: bytes = b"", timeout: float = 0.5) -> Msg:
        self.ends.append("acknowledged")
        if not self.confirms:
            raise TimeoutError
        return Msg(cast(Client, self))

    async def publish(self, subject: str, payload: bytes) -> None:
        word, _, options = payload.partition(b" ")
        assert word == b"-NAK"
        self.ends.append(f"nak for {json.loads(options)['delay'] / 1e9:g} s")


class RecordedDelivery(Delivery):
    """A delivery whose ends can be looked at."""

    def __init__(
        self,
        body: object,
        *,
        subject: str = PLAN_APPROVED,
        delivered: int = 1,
        confirms: bool = True,
        sequence: int = 1,
    ):
        self._server = Server(confirms)
        reply = f"$JS.ACK.S.conclave.{delivered}.{sequence}.1.1700000000000000000.0"
        message = Msg(cast(Client, self._server), subject=subject, reply=reply, data=json.dumps(body).encode())
        super().__init__(message, max_deliver=MAX_DELIVER)

    @property
    def ends(self) -> list[str]:
        return self._server.ends


@dataclass
class Broker:
    """A Dispatcher that refuses certain plans, or everything."""

    down: bool = False
    refuses: frozenset[str] = frozenset()
    offers: list[list[str]] = field(default_factory=list)
    kept: dict[str, PlanRequest] = field(default_factory=dict)

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        names = [request.plan.plan_id for request in requests]
        self.offers.append(names)
        if self.down or self.refuses.intersection(names):
            raise ConnectionError("no broker at redis://127.0.0.1:1")
        return tuple(self.kept.setdefault(request.request_id, request) for request in requests)


@dataclass
class Court:
    """Records verdicts; refuses certain deliberations, or is away."""

    away: bool = False
    refuses: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    judged: list[tuple[str, str]] = field(default_factory=list)
    tried: int = 0

    def judge(self, said: SaidVerdict) -> None:
        self.tried += 1
        if self.away or said.deliberation_id in self.breaks:
            raise ConnectionError("no store at redis://127.0.0.1:1")
        if said.deliberation_id in self.refuses:
            raise CannotJudge(f"no deliberation {said.deliberation_id}")
        self.judged.append((said.deliberation_id, said.verdict))


@dataclass
class Sink:
    """Streams that write down what they store, or are away."""

    away: bool = False
    dead_letters: list[tuple[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def dead_letter(self, message: InboundMessage, reason: str) -> None:
        self._check()
        self.dead_letters.append((message.place, reason))

    async def publish(self, events: Sequence[Event]) -> None:
        self._check()
        self.events.extend(events)

    def _check(self) -> None:
        if self.away:
            raise PublicationFailed("no stream")


class House:
    """A batch processor with everything it writes to."""

    def __init__(self, subject: str = PLAN_APPROVED) -> None:
        self.broker, self.court, self.sink = Broker(), Court(), Sink()
        self.statistics = SubjectStatistics()
        self.subject = subject
        self.reader = readers(phases={"BUILD": ("DEV",)})[subject]

    def process(self, *deliveries: Delivery) -> float:
        return asyncio.run(self.processor(self.reader).process(deliveries))

    def processor(self, reader: Reader) -> BatchProcessor:
        return BatchProcessor(
            reader,
            self.broker,
            self.sink,
            judge=self.court.judge,
            backoff_s=BACKOFF_S,
            statistics=self.statistics,
        )


@pytest.fixture
def house() -> House:
    return House()


def approval(plan_id: str, *, title: str = "", **options: Any) -> RecordedDelivery:
    body = {
        "title": title,
        "story_id": "s",
        "plan_id": plan_id,
        "approved_by": "po",
        "timestamp": "2026-01-31T12:00:00Z",
        "roles": ["DEV"],
    }
    return RecordedDelivery(body, **options)


def transition(to_phase: str) -> RecordedDelivery:
    body = {"story_id": "s", "from_phase": "PLAN", "to_phase": to_phase, "timestamp": "2026-01-31T12:00:00Z"}
    return RecordedDelivery(body, subject=STORY_TRANSITIONED)


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


def judged(deliberation_id: str, verdict: str = "accept", **options: Any) -> RecordedDelivery:
    body = {
        "deliberation_id": deliberation_id,
        "verdict": verdict,
        "by": "ada",
        "timestamp": "2026-01-31T12:00:00Z",
    }
    return RecordedDelivery(body, subject=DELIBERATION_JUDGED, **options)


def test_verdicts_are_recorded_in_the_order_of_their_stream_and_acknowledged() -> None:
    house = House(DELIBERATION_JUDGED)
    deliveries = [judged(f"d-{number}", sequence=number) for number in range(1, 6)]
    assert house.process(*deliveries) == 0
    assert house.court.judged == [(f"d-{number}", "accept") for number in range(1, 6)]
    assert [delivery.ends for delivery in deliveries] == [["acknowledged"]] * 5
    assert house.broker.offers == []


def test_a_verdict_that_cannot_be_taken_is_a_dead_letter_with_the_reason_and_holds_up_no_other() -> None:
    house = House(DELIBERATION_JUDGED)
    house.court.refuses = frozenset({"d-2"})
    deliveries = [judged(f"d-{number}", sequence=number) for number in (1, 2, 3)]
    house.process(*deliveries)
    assert house.sink.dead_letters == [("S:2", "no deliberation d-2")]
    assert [delivery.ends for delivery in deliveries] == [["acknowledged"]] * 3
    assert [identity for identity, _ in house.court.judged] == ["d-1", "d-3"]


def test_a_verdict_that_cannot_be_recorded_for_now_comes_again() -> None:
    house = House(DELIBERATION_JUDGED)
    house.court.breaks = frozenset({"d-1"})
    deliveries = [judged("d-1"), judged("d-2")]
    assert house.process(*deliveries) == 0
    assert [delivery.ends for delivery in deliveries] == [["nak for 1 s"], ["acknowledged"]]
    assert house.sink.dead_letters == []


def test_a_store_that_is_away_is_asked_a_few_times_and_not_for_every_verdict() -> None:
    house = House(DELIBERATION_JUDGED)
    house.court.away = True
    deliveries = [judged(f"d-{number}") for number in range(20)]
    assert house.process(*deliveries) == BACKOFF_S[0]
    assert house.court.tried == 3
    assert [delivery.ends for delivery in deliveries] == [["nak for 1 s"]] * 20
