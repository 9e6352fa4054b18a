"""Dispatching: one deliberation a role, roles without a council fail at once, nothing happens twice."""

from __future__ import annotations

import pytest

from domain.contract import DispatchedBody, FailedBody
from domain.identity import deliberation_id
from domain.policy import Policy
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


@pytest.mark.parametrize(
    ("role", "words"),
    [("DVE", "DVE: write DEV, or apply one"), ("devs", "write DEV, "), ("POET", "POET: apply one")],
)
def test_an_unknown_role_is_told_the_nearest_one(role: str, words: str) -> None:
    stage = Stage(council("DEV"), council("QA"))
    stage.approve(plan_request(plan(roles=(role,))))
    (failed,) = stage.news.bodies(FailedBody)
    assert words in failed.reason


def test_a_role_is_its_council_in_whatever_case_it_is_written_and_asked_once() -> None:
    stage = Stage(council("DEV"), council("straße"))
    request = stage.approve(plan_request(plan(roles=("dev", "Dev", "STRASSE"))))
    (dispatched,) = stage.news.bodies(DispatchedBody)
    assert [row.role for row in dispatched.started] == ["DEV", "straße"]
    plan_id, revision = request.plan.plan_id, request.revision
    assert [identity for identity, _ in stage.queue.work] == [
        deliberation_id(plan_id, role, revision) for role in ("DEV", "straße")
    ]


def test_of_two_councils_that_differ_in_case_the_one_written_so_is_asked() -> None:
    stage = Stage(council("DEV"), council("dev"))
    stage.approve(plan_request(plan(roles=("dev",))))
    stage.approve(plan_request(plan(roles=("Dev",))))
    told, unclear = stage.news.bodies(DispatchedBody)
    assert [row.role for row in told.started] == ["dev"]
    assert "no council for role Dev: write " in unclear.failed[0].reason


def test_a_council_that_comes_or_goes_between_two_deliveries_opens_no_second_deliberation() -> None:
    stage = Stage(council("OPS"))
    refused = stage.approve(plan_request(plan(roles=("dev",))))
    stage.services.councils.save(council("DEV"))
    stage.clock.advance(1)
    stage.dispatch(refused.request_id)
    assert stage.queue.work == []

    started = stage.approve(plan_request(plan(roles=("dev",))))
    assert len(stage.queue.work) == 1
    stage.services.councils.delete("DEV")
    stage.clock.advance(1)
    stage.dispatch(started.request_id)
    stage.give_up(started.request_id, "the dispatch was given up")
    assert len(stage.services.deliberations.of_plan(started.plan.plan_id)) == 1
    assert [failed.plan_id for failed in stage.news.bodies(FailedBody)] == [refused.plan.plan_id]


def test_an_approval_after_the_council_came_replaces_what_was_refused_under_another_spelling() -> None:
    stage = Stage()
    approved = plan(roles=("dev",))
    refused = stage.approve(plan_request(approved, revision="r1"))
    stage.services.councils.save(council("DEV"))
    stage.approve(plan_request(approved, revision="r2"))
    record = stage.record(stage.queue.work[-1][0])
    assert record.deliberation.supersedes == deliberation_id(approved.plan_id, "dev", refused.revision)


def test_a_plan_without_any_text_is_deliberated_on_and_the_answer_says_what_agents_see() -> None:
    stage = Stage(council("DEV"), policy=Policy(model="tiny"))
    stage.approve(plan_request(plan(title="", description=" ", acceptance_criteria=())))
    stage.approve(plan_request(plan(title="", description="", acceptance_criteria=("It works.",))))
    bare, told = stage.news.bodies(DispatchedBody)
    assert "agents see only ids" in bare.message
    assert told.message == ""
    assert len(stage.queue.work) == 2


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
