"""The doctor on work that waits in the store."""

from __future__ import annotations

import pytest

from domain.finding import Level
from tests.support.factories import event, plan_request
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.in_memory.plan_store import MemoryPlanStore
from workers.doctor.waiting import MANY_PLANS, OLD_S, examine_outbox, examine_plans


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.mark.parametrize(("age_s", "level"), [(0.0, Level.OK), (OLD_S, Level.OK), (OLD_S + 61, Level.WARN)])
def test_events_that_wait_long_are_counted_with_the_age_of_the_oldest(
    clock: MemoryClock, age_s: float, level: Level
) -> None:
    outbox = MemoryOutbox(clock=clock)
    outbox.put([event(occurred_at=clock.now() - age_s), event(occurred_at=clock.now())])
    (found,) = examine_outbox(outbox, clock)
    assert (found.level, found.text.partition(";")[0]) == (
        level,
        f"2 events wait to be published, the oldest for {age_s:.0f} s",
    )


def test_an_empty_outbox_is_sound(clock: MemoryClock) -> None:
    (found,) = examine_outbox(MemoryOutbox(clock=clock), clock)
    assert (found.level, found.text) == (Level.OK, "every event is published")


@pytest.mark.parametrize(("count", "level"), [(0, Level.OK), (MANY_PLANS, Level.OK), (MANY_PLANS + 1, Level.WARN)])
def test_plans_that_pile_up_are_counted(clock: MemoryClock, count: int, level: Level) -> None:
    plans = MemoryPlanStore(clock=clock)
    plans.save([plan_request() for _ in range(count)])
    (found,) = examine_plans(plans)
    assert (found.level, found.text.startswith(f"{count} wait to be dispatched")) == (level, True)
