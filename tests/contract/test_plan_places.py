"""What the places of open plans do, whatever they are kept in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import inf

import pytest

from domain.places import Place
from domain.plan import PlanRequest
from tests.support.factories import closed, deliberation, fresh, opened, plan, plan_request
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import MakeStores, Stores
from workers.adapters.clock import SystemClock
from workers.processes.readiness import wait_until

TAKEN, QUEUED, WAITING = Place.TAKEN, Place.QUEUED, Place.WAITING
A_LEVEL_S = 600


@pytest.fixture
def stores(make_stores: MakeStores, clock: MemoryClock) -> Stores:
    return make_stores(clock, places=2)


def saved(stores: Stores, by: str = "red", **written: str | int) -> PlanRequest:
    request = plan_request(plan(approved_by=by, **written))
    stores.plans.save([request])
    return request


def is_kept(stores: Stores, request: PlanRequest) -> bool:
    try:
        return stores.plans.load(request.request_id) == request
    except LookupError:
        return False


def dispatch(stores: Stores, request: PlanRequest) -> str:
    """Open the request's deliberation, as its dispatch does; return its id."""
    begun = deliberation(request.plan, revision=request.revision)
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    stores.plans.mark_dispatched(request.request_id)
    return begun.deliberation_id


def ask(stores: Stores, clock: MemoryClock, *requests: PlanRequest) -> list[Place]:
    """Ask for a place for each, one second after the other."""
    places = []
    for request in requests:
        clock.advance(1)
        places.append(stores.places.take(request))
    return places


def undispatched(stores: Stores) -> set[str]:
    return set(stores.plans.take_overdue(inf, 100))


def test_a_publisher_has_so_many_places_and_another_has_its_own(stores: Stores) -> None:
    first, second, third, foreign = (saved(stores, by) for by in ("red", "red", "red", "blue"))
    assert [stores.places.take(request) for request in (first, second, third)] == [TAKEN, TAKEN, QUEUED]
    assert stores.places.take(foreign) == TAKEN
    assert [stores.places.take(request) for request in (first, third, third)] == [TAKEN, WAITING, WAITING]
    assert stores.places.count_waiting() == 1
    assert stores.places.publishers() == ("blue", "red")


def test_one_that_waits_is_not_undispatched_so_that_it_keeps_no_capacity_from_others(stores: Stores) -> None:
    first, second, third = (saved(stores) for _ in range(3))
    for request in (first, second, third):
        stores.places.take(request)
    assert undispatched(stores) == {first.request_id, second.request_id}
    assert stores.plans.save([third]) == (third,), "the same approval again"
    assert undispatched(stores) == {first.request_id, second.request_id}


def test_a_place_is_free_when_the_dispatch_is_done_and_no_deliberation_on_the_plan_is_open(
    stores: Stores, clock: MemoryClock
) -> None:
    first, second, third, fourth = (saved(stores) for _ in range(4))
    assert ask(stores, clock, first, second, third, fourth) == [TAKEN, TAKEN, QUEUED, QUEUED]
    assert stores.places.settle("red") == (), "neither is dispatched yet"
    identity = dispatch(stores, first)
    assert stores.places.settle("red") == (), "its deliberation is open"
    stores.deliberations.record(identity, closed())
    assert stores.places.settle("blue") == ()
    assert stores.places.settle("red") == (third.request_id,)
    assert undispatched(stores) == {second.request_id, third.request_id}
    assert (stores.places.take(third), stores.places.take(fourth)) == (TAKEN, WAITING)
    stores.plans.mark_dispatched(third.request_id)
    assert stores.places.settle("red") == (fourth.request_id,), "no role of the third had a council"


def test_the_more_urgent_goes_first_and_waiting_counts_as_urgency(stores: Stores, clock: MemoryClock) -> None:
    running = [saved(stores) for _ in range(2)]
    low, plain = saved(stores, priority="low"), saved(stores)
    urgent, odd = saved(stores, priority=1), saved(stores, priority="as soon as it suits")
    late = saved(stores, priority_adjustment="HIGH")
    ask(stores, clock, *running, low, plain)
    clock.advance(A_LEVEL_S / 2)
    ask(stores, clock, urgent, odd)
    clock.advance(A_LEVEL_S)
    ask(stores, clock, late)

    order: list[str] = []
    while stores.places.count_waiting():
        for request in running:
            stores.plans.mark_dispatched(request.request_id)
        given = stores.places.settle("red")
        order += given
        running = [stores.plans.load(identity) for identity in given]
    assert order == [request.request_id for request in (urgent, plain, odd, late, low)]


def test_no_plan_is_overtaken_for_ever(stores: Stores, clock: MemoryClock) -> None:
    running = [saved(stores) for _ in range(2)]
    meek = saved(stores, priority=-10)
    for request in (*running, meek):
        stores.places.take(request)
    for _ in range(30):
        urgent = saved(stores, priority=10)
        stores.places.take(urgent)
        stores.plans.mark_dispatched(running.pop(0).request_id)
        given = stores.places.settle("red")
        running += [stores.plans.load(identity) for identity in given]
        if meek.request_id in given:
            return
        clock.advance(A_LEVEL_S)
    pytest.fail("the meek plan still waits")


def test_a_newcomer_does_not_overtake_those_that_wait(stores: Stores, clock: MemoryClock) -> None:
    first, second, third, newcomer = (saved(stores) for _ in range(4))
    ask(stores, clock, first, second, third)
    stores.plans.mark_dispatched(first.request_id)
    assert ask(stores, clock, newcomer) == [QUEUED]
    assert stores.places.settle("red") == (third.request_id,)


def test_one_that_waits_does_not_expire_before_it_had_its_turn(make_stores: MakeStores) -> None:
    clock = SystemClock()
    stores = make_stores(clock, 0.5, places=1)
    first, second = saved(stores), saved(stores)
    assert [stores.places.take(request) for request in (first, second)] == [TAKEN, QUEUED]
    assert wait_until(lambda: not is_kept(stores, first), within=60)
    assert stores.plans.load(second.request_id) == second
    stores.plans.mark_dispatched(first.request_id)
    assert stores.places.settle("red") == (second.request_id,), "the lost plan's place is free"
    assert wait_until(lambda: not is_kept(stores, second), within=60)


def test_when_all_have_ended_nothing_is_left(stores: Stores, clock: MemoryClock) -> None:
    requests = [saved(stores) for _ in range(5)]
    ask(stores, clock, *requests)
    for request in requests:
        stores.plans.mark_dispatched(request.request_id)
        stores.places.settle("red")
    assert stores.places.publishers() == ()
    assert stores.places.count_waiting() == 0


def test_without_a_bound_every_plan_has_a_place_and_nothing_is_kept(
    make_stores: MakeStores, clock: MemoryClock
) -> None:
    stores = make_stores(clock)
    assert not stores.places.bounded
    assert {stores.places.take(saved(stores)) for _ in range(50)} == {TAKEN}
    assert stores.places.publishers() == ()


@pytest.mark.parametrize("publisher", ["a b", "{}", "*", "п" * 512, '"\\\n'])
def test_any_text_may_name_a_publisher(stores: Stores, publisher: str) -> None:
    first, second, third = (saved(stores, publisher) for _ in range(3))
    assert [stores.places.take(request) for request in (first, second, third)] == [TAKEN, TAKEN, QUEUED]
    stores.plans.mark_dispatched(first.request_id)
    assert stores.places.publishers() == (publisher,)
    assert stores.places.settle(publisher) == (third.request_id,)


def test_a_place_is_given_once_whatever_happens_at_the_same_time(stores: Stores) -> None:
    requests = [saved(stores, fresh("team") if number % 4 == 0 else "red") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(stores.places.take, requests * 2))
    red = {request.request_id for request in requests if request.plan.approved_by == "red"}
    taken = {request.request_id for request, place in zip(requests * 2, found, strict=True) if place == TAKEN}
    assert len(taken & red) == 2
    assert found.count(QUEUED) == len(red) - 2
    for identity in taken:
        stores.plans.mark_dispatched(identity)
    with ThreadPoolExecutor(8) as pool:
        given = [identity for ids in pool.map(stores.places.settle, ["red"] * 8) for identity in ids]
    assert len(given) == len(set(given)) == 2
