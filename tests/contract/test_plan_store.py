"""What every plan store does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.plan import Constraints, Plan
from domain.ports.plan_store import PlanStore
from tests.support.factories import fresh, plan, plan_request
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import MakeStores, Stores
from workers.adapters.clock import SystemClock
from workers.processes.readiness import wait_until


def test_a_saved_request_comes_back_with_what_the_publisher_added(stores: Stores) -> None:
    constraints = Constraints.model_validate({"rubric": ["speed", "safety"], "max_tokens": 64, "team": "blue"})
    request = plan_request(
        plan(constraints=constraints, priority=3, sprint={"number": 7, "goals": ["a", None, 0.1]})
    )
    stores.plans.save([request])
    assert stores.plans.load(request.request_id) == request


def test_a_request_that_was_never_saved_is_named(stores: Stores) -> None:
    with pytest.raises(LookupError, match="p-unknown"):
        stores.plans.load("p-unknown")
    with pytest.raises(LookupError, match="plan-unknown"):
        stores.plans.latest("plan-unknown")


def test_a_request_saved_again_stays_as_it_was_first(stores: Stores) -> None:
    first = plan_request()
    assert stores.plans.save([first]) == (first,)
    other, again = plan_request(), first.model_copy(update={"causation_id": "another delivery"})
    assert stores.plans.save([again, other, again]) == (first, other, first), "what is kept, in their order"
    assert stores.plans.load(first.request_id) == first


def test_many_requests_are_saved_at_once_and_none_at_all_is_fine(stores: Stores) -> None:
    requests = [plan_request() for _ in range(120)]
    stores.plans.save(requests)
    stores.plans.save([])
    assert [stores.plans.load(request.request_id) for request in requests] == requests


def test_the_latest_request_of_a_plan_is_the_one_saved_last(stores: Stores) -> None:
    approved = plan()
    first, second = (plan_request(approved, revision=revision) for revision in ("r1", "r2"))
    stores.plans.save([first, plan_request()])
    stores.plans.save([second])
    stores.plans.save([first])
    assert stores.plans.latest(approved.plan_id) == second, "saving the first again is no new saving"


@pytest.mark.parametrize("plan_id", ["a b", "{}", "*", "plan:1", "п" * 512, '"\\\n'])
def test_any_text_may_name_a_plan(stores: Stores, plan_id: str) -> None:
    request = plan_request(Plan.model_validate(plan().model_dump() | {"plan_id": plan_id}))
    stores.plans.save([request, plan_request()])
    assert stores.plans.latest(plan_id) == request


def test_a_request_is_forgotten_after_its_retention(make_stores: MakeStores) -> None:
    plans = make_stores(SystemClock(), retention_s=0.3).plans
    request = plan_request(plan(plan_id=fresh("short")))
    plans.save([request])
    assert plans.load(request.request_id) == request
    assert wait_until(lambda: _forgotten(plans, request.request_id), within=120)
    with pytest.raises(LookupError):
        plans.latest(request.plan.plan_id)
    plans.save([request])
    assert plans.latest(request.plan.plan_id) == request


def test_a_saved_plan_is_overdue_until_it_is_marked_dispatched(stores: Stores, clock: MemoryClock) -> None:
    request = plan_request()
    stores.plans.save([request])
    assert stores.plans.count_undispatched() == 1
    assert stores.plans.take_overdue(clock.now(), 10) == ()
    clock.advance(20)
    assert stores.plans.take_overdue(clock.now() - 10, 10) == (request.request_id,)
    assert stores.plans.take_overdue(clock.now() - 10, 10) == (), "taken now"
    clock.advance(20)
    assert stores.plans.take_overdue(clock.now() - 10, 10) == (request.request_id,)
    stores.plans.mark_dispatched(request.request_id)
    stores.plans.mark_dispatched(request.request_id)
    clock.advance(20)
    assert stores.plans.take_overdue(clock.now(), 10) == ()
    assert stores.plans.count_undispatched() == 0


def test_a_dispatched_plan_that_is_saved_again_stays_dispatched(stores: Stores) -> None:
    request = plan_request()
    stores.plans.save([request])
    stores.plans.mark_dispatched(request.request_id)
    stores.plans.save([request])
    assert stores.plans.count_undispatched() == 0


def test_many_takers_at_once_never_take_the_same(stores: Stores, clock: MemoryClock) -> None:
    requests = [plan_request() for _ in range(60)]
    stores.plans.save(requests)
    clock.advance(20)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: stores.plans.take_overdue(clock.now() - 1, 10), range(12)))
    assert sorted(taken_id for batch in taken for taken_id in batch) == sorted(
        request.request_id for request in requests
    )


def _forgotten(plans: PlanStore, request_id: str) -> bool:
    try:
        plans.load(request_id)
    except LookupError:
        return True
    return False
