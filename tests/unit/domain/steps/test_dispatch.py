"""Dispatching: one deliberation a role, roles without a council fail at once, nothing happens twice."""

from __future__ import annotations

from domain.contract import DispatchedBody, FailedBody
from domain.identity import deliberation_id
from tests.support.factories import council, plan, plan_request
from tests.support.stage import Stage

STARTED = "orchestration.deliberation.started"
DISPATCHED = "orchestration.plan.dispatched"


def test_every_role_with_a_council_gets_a_deliberation() -> None:
    stage = Stage(council("DEV"), council("QA", size=2))
    request = stage.approve(plan_request(plan(roles=("DEV", "QA"))))

    ids = [deliberation_id(request.plan.plan_id, role, request.revision) for role in ("DEV", "QA")]
    assert stage.queue.work == [(ids[0], ("agent-1", "agent-2", "agent-3")), (ids[1], ("agent-1", "agent-2"))]
    assert [event.subject_id for event in stage.news.of_type(STARTED)] == ids


def test_an_unknown_role_fails_at_once_and_the_others_go_on() -> None:
    stage = Stage(council("DEV"))
    stage.approve(plan_request(plan(roles=("POET", "DEV"))))

    assert len(stage.queue.work) == 1
    (failed,) = stage.news.bodies(FailedBody)
    assert failed.role == "POET"
    assert "no council for role POET" in failed.reason
    assert "DEV" in failed.reason
    (dispatched,) = stage.news.bodies(DispatchedBody)
    assert [row.role for row in dispatched.started] == ["DEV"]
    assert [row.role for row in dispatched.failed] == ["POET"]


def test_a_plan_without_roles_is_answered_with_that() -> None:
    stage = Stage(council("DEV"))
    stage.approve(plan_request(plan(roles=())))
    (dispatched,) = stage.news.bodies(DispatchedBody)
    assert "nothing was asked" in dispatched.message
    assert stage.queue.work == []


def test_the_same_approval_again_starts_and_tells_nothing_again() -> None:
    stage = Stage(council("DEV"))
    request = stage.approve(plan_request(plan(roles=("DEV", "POET"))))
    published = list(stage.news.published)
    for _ in range(3):
        stage.clock.advance(1)
        stage.dispatch(request.request_id)
    assert stage.news.published == published
    assert len(stage.queue.work) == 1


def test_a_new_approval_of_the_same_plan_is_a_new_deliberation() -> None:
    stage = Stage(council("DEV"))
    approved = plan()
    stage.approve(plan_request(approved, revision="r1"))
    stage.approve(plan_request(approved, revision="r2"))
    assert len({identity for identity, _ in stage.queue.work}) == 2


def test_a_plan_may_ask_for_fewer_agents() -> None:
    stage = Stage(council("DEV", size=5))
    stage.approve(plan_request(plan(constraints={"num_agents": 2})))
    assert stage.queue.work[0][1] == ("agent-1", "agent-2")


def test_an_event_that_could_not_be_published_is_published_by_the_next_flush() -> None:
    stage = Stage(council("DEV"))
    stage.news.away = True
    stage.approve()
    assert stage.news.published == []
    stage.news.away = False
    assert stage.flush() == 2
    assert {event.event_type for event in stage.news.published} == {STARTED, DISPATCHED}
    assert stage.flush() == 0
