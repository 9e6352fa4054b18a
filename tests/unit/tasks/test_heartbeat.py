"""A deliberation that a step works on is touched again and again, whatever the store does; any other is not."""

from __future__ import annotations

import threading

from tasks.heartbeat import DeliberationHeartbeat
from tests.support.factories import deliberation, opened
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.outbox import MemoryOutbox
from workers.processes.readiness import wait_until


class CountingStore(MemoryDeliberationStore):
    """Fails the first touches, and counts those that follow."""

    def __init__(self, clock: MemoryClock, *, failures: int = 0) -> None:
        super().__init__(clock=clock, outbox=MemoryOutbox(clock=clock))
        self.failures = failures
        self.touched: list[str] = []

    def touch(self, deliberation_id: str, at: float) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the store is away")
        super().touch(deliberation_id, at)
        self.touched.append(deliberation_id)


def begin(store: MemoryDeliberationStore) -> str:
    begun = deliberation()
    store.record(begun.deliberation_id, opened(begun))
    return begun.deliberation_id


def test_only_what_is_worked_on_is_touched_and_only_while_it_is() -> None:
    clock = MemoryClock()
    store = CountingStore(clock)
    first, second = begin(store), begin(store)
    heartbeat = DeliberationHeartbeat(deliberations=store, clock=clock, every_s=0.01)
    with heartbeat.working_on(first):
        with heartbeat.working_on(first):
            clock.advance(60)
            assert wait_until(lambda: len(store.touched) > 2, within=120)
        beats = len(store.touched)
        assert wait_until(lambda: len(store.touched) > beats + 1, within=120), "the outer block still runs"
    assert store.open_untouched_since(clock.now(), 10) == (second,)
    with heartbeat.working_on(second):
        assert wait_until(lambda: store.touched[-1] == second, within=120)
        beats = len(store.touched)
        assert wait_until(lambda: len(store.touched) > beats + 2, within=120)
        assert set(store.touched[beats:]) == {second}


def test_a_store_that_is_away_costs_touches_and_not_the_thread() -> None:
    clock = MemoryClock()
    store = CountingStore(clock, failures=3)
    identity = begin(store)
    heartbeat = DeliberationHeartbeat(deliberations=store, clock=clock, every_s=0.01)
    with heartbeat.working_on(identity):
        assert wait_until(lambda: identity in store.touched, within=120)


def test_a_process_has_one_thread_for_all_its_steps() -> None:
    clock = MemoryClock()
    store = CountingStore(clock)
    heartbeat = DeliberationHeartbeat(deliberations=store, clock=clock, every_s=60)
    before = threading.active_count()
    with heartbeat.working_on(begin(store)), heartbeat.working_on(begin(store)):
        assert threading.active_count() == before + 1


def test_a_store_that_refused_is_touched_again_as_soon_as_it_takes_writes() -> None:
    clock = MemoryClock()
    store = CountingStore(clock, failures=3)
    identity = begin(store)
    heartbeat = DeliberationHeartbeat(deliberations=store, clock=clock, every_s=3.0)
    with heartbeat.working_on(identity):
        assert wait_until(lambda: identity in store.touched, within=4 * 3.0 - 1), "each refusal cost a whole beat"
