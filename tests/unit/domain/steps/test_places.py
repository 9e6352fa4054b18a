"""A publisher's plans beyond its places wait, the others go on, and none that waits is lost."""

from __future__ import annotations

import pytest

from domain.places import HIGHEST, LEVEL_S, Place, level_of, order_of
from domain.plan import PlanRequest
from domain.steps.places import ask_for_place, fill_all_places, fill_places_after
from tests.support.factories import council, plan, plan_request
from tests.support.stage import Stage


def accepted(stage: Stage, by: str = "red") -> tuple[PlanRequest, Place]:
    """Save an approval and run its dispatch as a worker does."""
    request = plan_request(plan(approved_by=by))
    stage.services.plans.save([request])
    stage.clock.advance(1)
    return request, dispatched(stage, request.request_id)


def dispatched(stage: Stage, request_id: str) -> Place:
    _, place = ask_for_place(request_id, plans=stage.services.plans, places=stage.services.places)
    if place is Place.TAKEN:
        stage.dispatch(request_id)
    return place


def fill(stage: Stage) -> None:
    services = stage.services
    fill_all_places(plans=services.plans, places=services.places, dispatcher=services.dispatcher)


def test_the_end_of_a_deliberation_lets_the_next_plan_of_its_publisher_in() -> None:
    stage = Stage(council("DEV"), places=1)
    accepted(stage)
    second, place = accepted(stage)
    _, others = accepted(stage, "blue")
    assert (place, others) == (Place.QUEUED, Place.TAKEN)
    (of_first, _), (of_foreign, _) = stage.queue.work
    services = stage.services
    for deliberation_id, given in ((of_foreign, []), (of_first, [second])):
        stage.cancel(deliberation_id, "dropped")
        fill_places_after(
            deliberation_id,
            deliberations=services.deliberations,
            plans=services.plans,
            places=services.places,
            dispatcher=services.dispatcher,
        )
        assert stage.queue.requests == given
    assert dispatched(stage, second.request_id) is Place.TAKEN
    assert len(stage.queue.work) == 3


def test_what_a_worker_that_died_did_not_queue_is_queued_by_a_sweep() -> None:
    stage = Stage(council("DEV"), places=1)
    accepted(stage)
    second, _ = accepted(stage)
    stage.cancel(stage.queue.work[0][0], "dropped")
    assert stage.services.places.settle("red") == (second.request_id,)  # and the worker dies
    stage.clock.advance(3600)
    stage.sweep()
    assert stage.queue.requests == [second]


def test_a_plan_whose_roles_have_no_council_gives_its_place_back() -> None:
    stage = Stage(places=1)
    accepted(stage)
    second, place = accepted(stage)
    assert place is Place.QUEUED
    fill(stage)
    assert stage.queue.requests == [second]


@pytest.mark.parametrize(
    ("priority", "level"),
    [
        (None, 0),
        ("", 0),
        ("High", 1),
        (" urgent ", 2),
        ("low", -1),
        ("7", 0),
        (7, 7),
        (-99, -HIGHEST),
        (99, HIGHEST),
    ],
)
def test_the_level_of_a_priority(priority: str | int | None, level: int) -> None:
    assert level_of(priority) == level
    assert order_of(priority, since=0.0) == -LEVEL_S * level
