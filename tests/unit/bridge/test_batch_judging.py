"""How a delivered verdict ends: the table of outcomes in docs/events.md."""

from __future__ import annotations

from bridge.subjects import DELIBERATION_JUDGED
from tests.support.deliveries import BACKOFF_S, House, judged


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
