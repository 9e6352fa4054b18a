"""What every deliberation store does as an index of deliberations and as a counter over all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from domain.deliberation import Deliberation
from tests.support.factories import closed, deliberation, opened, plan, proposed
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import MakeStores, Stores


def test_an_empty_index_knows_nothing(stores: Stores, clock: MemoryClock) -> None:
    assert stores.deliberations.count_open() == 0
    assert stores.deliberations.newest(10) == ()
    assert stores.deliberations.of_plan("plan-unknown") == ()
    assert stores.deliberations.open_untouched_since(clock.now() + 1000, 10) == ()


def test_open_ones_without_a_write_since_a_moment_come_longest_untouched_first(
    stores: Stores, clock: MemoryClock
) -> None:
    first, second, third = (_open(stores, clock) for _ in range(3))
    assert stores.deliberations.open_untouched_since(clock.now() + 1, 10) == (first, second, third)
    assert stores.deliberations.open_untouched_since(clock.now() + 1, 2) == (first, second)
    assert stores.deliberations.open_untouched_since(clock.now() + 1, 0) == ()


def test_a_write_at_the_moment_itself_counts_as_since(stores: Stores, clock: MemoryClock) -> None:
    opened_at = clock.now()
    only = _open(stores, clock)
    assert stores.deliberations.open_untouched_since(opened_at, 10) == ()
    assert stores.deliberations.open_untouched_since(opened_at + 0.001, 10) == (only,)


def test_every_entry_and_every_taking_over_touches(stores: Stores, clock: MemoryClock) -> None:
    first, second, third = (_open(stores, clock) for _ in range(3))
    clock.advance(10)
    stores.deliberations.record(first, proposed())
    moment = clock.now()
    clock.advance(10)
    stores.deliberations.take_over(second)
    assert stores.deliberations.open_untouched_since(moment, 10) == (third,)
    assert stores.deliberations.open_untouched_since(clock.now() + 1, 10) == (third, first, second)


def test_touching_moves_an_open_one_ahead_or_back_and_opens_nothing(stores: Stores, clock: MemoryClock) -> None:
    first, second, ended = (_open(stores, clock) for _ in range(3))
    stores.deliberations.record(ended, closed())
    stores.deliberations.touch(first, clock.now() + 500)
    stores.deliberations.touch(ended, clock.now())
    stores.deliberations.touch("d-unknown", clock.now())
    assert stores.deliberations.open_untouched_since(clock.now() + 500, 10) == (second,)
    stores.deliberations.touch(first, clock.now() - 500)
    assert stores.deliberations.open_untouched_since(clock.now() + 500, 10) == (first, second)
    assert stores.deliberations.count_open() == 2


def test_an_entry_that_changes_nothing_does_not_touch(stores: Stores, clock: MemoryClock) -> None:
    only = _open(stores, clock)
    stores.deliberations.record(only, proposed())
    clock.advance(10)
    stores.deliberations.record(only, proposed(text="too late"))
    assert stores.deliberations.open_untouched_since(clock.now(), 10) == (only,)


def test_a_closed_one_is_no_longer_open_and_stays_so(stores: Stores, clock: MemoryClock) -> None:
    first, second = (_open(stores, clock) for _ in range(2))
    stores.deliberations.record(first, closed())
    stores.deliberations.take_over(first)
    assert stores.deliberations.count_open() == 1
    assert stores.deliberations.open_untouched_since(clock.now() + 1, 10) == (second,)


def test_the_newest_come_first_open_or_closed(stores: Stores, clock: MemoryClock) -> None:
    first, second, third = (_open(stores, clock) for _ in range(3))
    stores.deliberations.record(second, closed())
    stores.deliberations.record(first, proposed())
    assert stores.deliberations.newest(10) == (third, second, first), "newest by opening, not by last write"
    assert stores.deliberations.newest(2) == (third, second)
    assert stores.deliberations.newest(0) == ()


def test_a_plans_deliberations_come_newest_first_and_no_others(stores: Stores, clock: MemoryClock) -> None:
    approved = plan(plan_id="plan {1}: *")
    dev = _open(stores, clock, deliberation(approved, role="DEV"))
    _open(stores, clock)
    qa = _open(stores, clock, deliberation(approved, role="QA"))
    again = _open(stores, clock, deliberation(approved, role="DEV", repeat=1))
    stores.deliberations.record(qa, closed())
    assert stores.deliberations.of_plan(approved.plan_id) == (again, qa, dev)


def test_after_retention_only_open_ones_are_still_known_as_open(
    make_stores: MakeStores, clock: MemoryClock
) -> None:
    stores = make_stores(clock, retention_s=60)
    approved = plan()
    old = _open(stores, clock, deliberation(approved))
    clock.advance(57)
    new = _open(stores, clock, deliberation(approved, role="QA"))
    assert stores.deliberations.newest(10) == stores.deliberations.of_plan(approved.plan_id) == (new, old)
    clock.advance(1)
    assert stores.deliberations.newest(10) == stores.deliberations.of_plan(approved.plan_id) == (new,)
    assert stores.deliberations.open_untouched_since(clock.now() + 1, 10) == (old, new)


def test_counters_begin_at_nothing(stores: Stores) -> None:
    assert stores.deliberations.counts() == {}


def test_an_entry_that_was_there_first_is_not_counted_again(stores: Stores) -> None:
    begun = deliberation()
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    for _ in range(3):
        stores.deliberations.record(
            begun.deliberation_id, closed(), counters={"total|decided": 1, "total|tokens": 40}
        )
    assert stores.deliberations.counts() == {"total|decided": 1, "total|tokens": 40}


def test_many_writers_at_once_lose_no_count(stores: Stores) -> None:
    deliberations = [deliberation() for _ in range(40)]

    def play(index: int) -> None:
        number = index % len(deliberations)
        begun = deliberations[number]
        stores.deliberations.record(begun.deliberation_id, opened(begun))
        counters = {"total|decided": 1, "total|tokens": number}
        stores.deliberations.record(begun.deliberation_id, closed(), counters=counters)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(play, range(4 * len(deliberations))))
    assert stores.deliberations.counts() == {"total|decided": 40, "total|tokens": sum(range(40))}


def _open(stores: Stores, clock: MemoryClock, begun: Deliberation | None = None) -> str:
    """Open a deliberation and let a second pass, so that the order of opening is plain."""
    begun = begun or deliberation()
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    clock.advance(1)
    return begun.deliberation_id


def test_sweeps_are_regular_since_the_last_gap(stores: Stores, clock: MemoryClock) -> None:
    begun = clock.now() + 0.125
    for moment in (begun, begun + 5, begun + 10):
        assert stores.deliberations.begin_sweep(moment, gap_s=10) == begun
    assert stores.deliberations.begin_sweep(begun + 20.5, gap_s=10) == begun + 20.5
    assert stores.deliberations.begin_sweep(begun + 22, gap_s=10) == begun + 20.5
