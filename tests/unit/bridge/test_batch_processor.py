"""What becomes of a delivery: the table of outcomes in docs/events.md, row by row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bridge.batch_processor import BatchProcessor
from bridge.intake import readers
from bridge.message import InboundMessage
from bridge.publication import PublicationFailed
from bridge.rejection import Rejection
from bridge.statistics import SubjectStatistics
from bridge.subjects import PLAN_APPROVED, STORY_TRANSITIONED
from domain.event import Event
from domain.inbound import Intake
from domain.plan import PlanRequest

BACKOFF_S = (1.0, 2.0, 5.0)


@dataclass
class Delivery:
    """A delivery that writes down how it ended."""

    inbound: InboundMessage
    last: bool = False
    confirmed: bool = True
    ends: list[str] = field(default_factory=list)

    async def acknowledge(self) -> bool:
        self.ends.append("acknowledged")
        return self.confirmed

    async def hand_back(self, delay_s: float) -> None:
        self.ends.append(f"handed back for {delay_s:g} s")


@dataclass
class Broker:
    """A Dispatcher that refuses certain plans, or everything."""

    down: bool = False
    refuses: frozenset[str] = frozenset()
    offers: list[list[str]] = field(default_factory=list)

    def plans(self, requests: Sequence[PlanRequest]) -> None:
        names = [request.plan.plan_id for request in requests]
        self.offers.append(names)
        if self.down or self.refuses.intersection(names):
            raise ConnectionError("no broker at redis://127.0.0.1:1")


@dataclass
class Outlet:
    """Streams that write down what they store, or are away."""

    away: bool = False
    buried: list[tuple[str, str]] = field(default_factory=list)
    announced: list[Event] = field(default_factory=list)

    async def bury(self, message: InboundMessage, reason: str) -> None:
        self._check()
        self.buried.append((message.place, reason))

    async def announce(self, events: Sequence[Event]) -> None:
        self._check()
        self.announced.extend(events)

    def _check(self) -> None:
        if self.away:
            raise PublicationFailed("no stream")


class House:
    """A handover with everything it writes to."""

    def __init__(self, subject: str = PLAN_APPROVED) -> None:
        self.broker, self.outlet, self.statistics = Broker(), Outlet(), SubjectStatistics()
        self.subject = subject
        self.reader = readers(phases={"BUILD": ("DEV",)})[subject]

    def settle(self, *deliveries: Delivery) -> float:
        handover = BatchProcessor(
            self.reader, self.broker, self.outlet, backoff_s=BACKOFF_S, statistics=self.statistics
        )
        return asyncio.run(handover.settle(deliveries))


@pytest.fixture
def house() -> House:
    return House()


def approval(plan_id: str, *, delivered: int = 1, **changes: object) -> Delivery:
    body = {
        "story_id": "s",
        "plan_id": plan_id,
        "approved_by": "po",
        "timestamp": "2026-01-31T12:00:00Z",
        "roles": ["DEV"],
    }
    return delivery(body | changes, delivered=delivered)


def delivery(body: object, *, subject: str = PLAN_APPROVED, delivered: int = 1, sequence: int = 1) -> Delivery:
    data = json.dumps(body).encode()
    message = InboundMessage(subject=subject, data=data, stream="S", sequence=sequence, delivered=delivered)
    return Delivery(message)


def moved(to_phase: str) -> Delivery:
    body = {"story_id": "s", "from_phase": "PLAN", "to_phase": to_phase, "timestamp": "2026-01-31T12:00:00Z"}
    return delivery(body, subject=STORY_TRANSITIONED)


def test_a_batch_is_offered_once_and_acknowledged(house: House) -> None:
    batch = [approval("a"), approval("b"), approval("c")]
    assert house.settle(*batch) == 0.0
    assert house.broker.offers == [["a", "b", "c"]]
    assert [one.ends for one in batch] == [["acknowledged"]] * 3
    assert house.statistics.accepted == 3


def test_nothing_is_acknowledged_before_the_dispatcher_has_returned(house: House) -> None:
    one = approval("a")
    offer = house.broker.plans

    def check_then_offer(requests: Sequence[PlanRequest]) -> None:
        assert one.ends == []
        offer(requests)

    house.broker.plans = check_then_offer  # type: ignore[method-assign]
    house.settle(one)
    assert one.ends == ["acknowledged"]


def test_the_same_approval_twice_in_a_batch_is_offered_once(house: House) -> None:
    batch = [approval("a"), approval("a")]
    house.settle(*batch)
    assert house.broker.offers == [["a"]]
    assert [one.ends for one in batch] == [["acknowledged"]] * 2


def test_a_message_that_does_not_parse_is_buried_then_acknowledged_and_its_neighbours_go_on(house: House) -> None:
    bad, good = delivery({"roles": 5}), approval("a")
    assert house.settle(bad, good) == 0.0
    assert house.outlet.buried == [("S:1", "field story_id is missing; add it (and 4 more)")]
    assert bad.ends == good.ends == ["acknowledged"]
    assert house.broker.offers == [["a"]]


def test_a_message_that_cannot_be_buried_is_handed_back(house: House) -> None:
    house.outlet.away = True
    bad = delivery({})
    assert house.settle(bad) == BACKOFF_S[0]
    assert bad.ends == ["handed back for 1 s"]


@pytest.mark.parametrize(("delivered", "delay"), [(1, "1"), (2, "2"), (3, "5"), (4, "5"), (99, "5")])
def test_while_the_dispatcher_is_down_messages_are_handed_back_later_and_later(
    house: House, delivered: int, delay: str
) -> None:
    house.broker.down = True
    one = approval("a", delivered=delivered)
    assert house.settle(one) == BACKOFF_S[0]
    assert one.ends == [f"handed back for {delay} s"]
    assert "no broker" in house.statistics.last_error


def test_a_fresh_batch_that_fails_is_not_tried_piece_by_piece(house: House) -> None:
    house.broker.down = True
    house.settle(*(approval(str(number)) for number in range(10)))
    assert len(house.broker.offers) == 1


def test_one_bad_request_does_not_take_its_neighbours_along(house: House) -> None:
    house.broker.refuses = frozenset({"bad"})
    good = [approval(str(number), delivered=2) for number in range(10)]
    bad = approval("bad", delivered=2)
    assert house.settle(*good[:5], bad, *good[5:]) == 0.0
    assert [one.ends for one in good] == [["acknowledged"]] * 10
    assert bad.ends == ["handed back for 2 s"]


def test_an_outage_is_told_from_bad_requests_after_three_of_them(house: House) -> None:
    house.broker.down = True
    batch = [approval(str(number), delivered=2) for number in range(50)]
    assert house.settle(*batch) == BACKOFF_S[0]
    assert len(house.broker.offers) == 4
    assert [one.ends for one in batch] == [["handed back for 2 s"]] * 50


def test_the_last_delivery_is_buried_with_the_reason_why_nobody_took_it(house: House) -> None:
    house.broker.down = True
    one = approval("a", delivered=7)
    one.last = True
    assert house.settle(one) == 0.0
    ((_, reason),) = house.outlet.buried
    assert reason == "not taken in 7 deliveries: ConnectionError: no broker at redis://127.0.0.1:1"
    assert one.ends == ["acknowledged"]


def test_an_acknowledgement_without_confirmation_is_counted_and_nothing_else(house: House) -> None:
    one = approval("a")
    one.confirmed = False
    assert house.settle(one) == 0.0
    assert (house.statistics.accepted, house.statistics.unconfirmed) == (1, 1)


def test_a_transition_is_announced_before_it_is_acknowledged() -> None:
    house = House(STORY_TRANSITIONED)
    told, asked = moved("DONE"), moved("BUILD")
    assert house.settle(told, asked) == 0.0
    assert [event.body["to_phase"] for event in house.outlet.announced] == ["DONE", "BUILD"]
    assert house.broker.offers == [["s:BUILD"]]
    assert told.ends == asked.ends == ["acknowledged"]


def test_a_transition_that_cannot_be_announced_is_handed_back() -> None:
    house = House(STORY_TRANSITIONED)
    house.outlet.away = True
    told = moved("DONE")
    house.settle(told)
    assert told.ends == ["handed back for 1 s"]


def test_a_transition_whose_request_was_not_taken_is_not_announced() -> None:
    house = House(STORY_TRANSITIONED)
    house.broker.down = True
    asked, told = moved("BUILD"), moved("DONE")
    house.settle(asked, told)
    assert asked.ends == ["handed back for 1 s"]
    assert told.ends == ["acknowledged"]
    assert [event.body["to_phase"] for event in house.outlet.announced] == ["DONE"]


def test_a_reader_that_raises_costs_one_message_and_no_bridge(house: House) -> None:
    reader = house.reader

    def defective(message: InboundMessage) -> Intake | Rejection:
        if b"bad" in message.data:
            raise MemoryError
        return reader(message)

    house.reader = defective
    bad, good = approval("bad"), approval("good")
    house.settle(bad, good)
    assert bad.ends == good.ends == ["acknowledged"]
    assert house.outlet.buried == [("S:1", "could not be read (MemoryError); this is a defect of the bridge")]


def test_deliveries_are_counted_repeated_ones_apart(house: House) -> None:
    house.settle(approval("a"), approval("b", delivered=3))
    assert (house.statistics.fetched, house.statistics.redelivered) == (2, 1)
