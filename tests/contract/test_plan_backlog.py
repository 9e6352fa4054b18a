"""What every backlog of plans does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.factories import plan_request
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import MakeStores


def test_a_saved_plan_is_overdue_until_it_is_settled(make_stores: MakeStores) -> None:
    clock = MemoryClock()
    stores = make_stores(clock)
    request = plan_request()
    stores.plans.save([request])
    assert stores.backlog.count() == 1
    assert stores.backlog.take_overdue(clock.now(), 10) == ()
    clock.advance(20)
    assert stores.backlog.take_overdue(clock.now() - 10, 10) == (request.request_id,)
    assert stores.backlog.take_overdue(clock.now() - 10, 10) == (), "taken now"
    clock.advance(20)
    assert stores.backlog.take_overdue(clock.now() - 10, 10) == (request.request_id,)
    stores.backlog.settle(request.request_id)
    stores.backlog.settle(request.request_id)
    clock.advance(20)
    assert stores.backlog.take_overdue(clock.now(), 10) == ()
    assert stores.backlog.count() == 0


def test_a_settled_plan_that_is_saved_again_stays_settled(make_stores: MakeStores) -> None:
    stores = make_stores(MemoryClock())
    request = plan_request()
    stores.plans.save([request])
    stores.backlog.settle(request.request_id)
    stores.plans.save([request])
    assert stores.backlog.count() == 0


def test_many_takers_at_once_never_take_the_same(make_stores: MakeStores) -> None:
    clock = MemoryClock()
    stores = make_stores(clock)
    requests = [plan_request() for _ in range(60)]
    stores.plans.save(requests)
    clock.advance(20)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: stores.backlog.take_overdue(clock.now() - 1, 10), range(12)))
    assert sorted(one for some in taken for one in some) == sorted(one.request_id for one in requests)
