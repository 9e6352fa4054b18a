"""What an outcome makes of events: in any order, each any number of times, and of nobody else's."""

from __future__ import annotations

from itertools import permutations

import pytest

from bridge.client.errors import DeadLettered, DeliberationCancelled, DeliberationFailed, NoCouncil, NothingAsked
from bridge.client.outcome import DeliberationOutcome, PlanOutcome, decision_of
from domain.approval import Approval
from domain.contract import DispatchedBody, EventBody, MessageRejectedBody
from domain.event_types import DISPATCHED, MESSAGE_REJECTED
from tests.support.factories import cancelled_body, completed_body, failed_body, progress_body

APPROVAL = Approval(plan_id="p", revision="r", stream="PLANNING_EVENTS", sequence=7, content="abc", since=1)
OURS = {"plan_id": "p", "revision": "r"}
DEV = completed_body(**OURS, role="DEV", deliberation_id="d-1")
QA = failed_body(**OURS, role="QA", deliberation_id="d-2", reason="no council for role QA: apply one")


def dispatched(**changes: object) -> DispatchedBody:
    fields = {
        "event_type": DISPATCHED,
        "story_id": "s",
        "task_id": "p",
        "timestamp": 1.0,
        **OURS,
        "roles": ("DEV", "QA"),
        "started": ({"role": "DEV", "deliberation_id": "d-1"},),
        "failed": ({"role": "QA", "deliberation_id": "d-2", "reason": "no council"},),
        "message": "",
        "content": "abc",
    }
    return DispatchedBody.model_validate(fields | changes)


def rejected(sequence: int = 7) -> MessageRejectedBody:
    return MessageRejectedBody(
        event_type=MESSAGE_REJECTED,
        timestamp=1.0,
        subject="planning.plan.approved",
        stream="PLANNING_EVENTS",
        sequence=sequence,
        reason="field roles is missing; add it",
    )


@pytest.mark.parametrize("order", list(permutations([DEV, QA, dispatched()])))
def test_a_plan_is_settled_by_its_answer_and_the_end_of_every_role(order: tuple[EventBody, ...]) -> None:
    outcome = PlanOutcome(APPROVAL)
    for body in order:
        assert not outcome.settled.is_set()
        assert outcome.take(body)
        outcome.take(body)
    assert outcome.settled.is_set()
    assert outcome.ends() == {"DEV": DEV, "QA": QA}


@pytest.mark.parametrize(
    "body",
    [
        dispatched(plan_id="other"),
        dispatched(revision="other"),
        dispatched(content="other"),
        rejected(sequence=8),
        completed_body(**OURS | {"revision": "other"}),
        progress_body(plan_id="other"),
    ],
)
def test_what_concerns_another_approval_is_passed_over(body: EventBody) -> None:
    outcome = PlanOutcome(APPROVAL)
    assert not outcome.take(body)
    assert not outcome.settled.is_set()


def test_an_answer_of_version_0_1_which_tells_no_content_is_taken() -> None:
    outcome = PlanOutcome(APPROVAL)
    assert outcome.take(dispatched(content="", failed=()))
    outcome.take(DEV)
    assert outcome.ends() == {"DEV": DEV}


def test_a_rejection_settles_a_plan_whatever_else_was_told() -> None:
    outcome = PlanOutcome(APPROVAL)
    outcome.take(DEV)
    outcome.take(rejected())
    assert outcome.settled.is_set()
    with pytest.raises(DeadLettered, match="PLANNING_EVENTS:7 is a dead letter: field roles is missing"):
        outcome.ends()


def test_a_plan_without_roles_is_settled_by_its_answer() -> None:
    outcome = PlanOutcome(APPROVAL)
    outcome.take(dispatched(roles=(), started=(), failed=(), message="the plan names no roles"))
    assert outcome.settled.is_set()
    with pytest.raises(NothingAsked, match="plan p: the plan names no roles; name a role"):
        outcome.ends()


def test_a_redeliberation_is_not_waited_for() -> None:
    outcome = PlanOutcome(APPROVAL)
    for body in (dispatched(failed=()), DEV, completed_body(**OURS, role="DEV", deliberation_id="d-3")):
        outcome.take(body)
    assert outcome.ends()["DEV"] == DEV


def test_a_deliberation_is_settled_by_its_first_end() -> None:
    outcome = DeliberationOutcome("d-1")
    assert not outcome.take(QA)
    assert not outcome.take(dispatched())
    assert outcome.take(progress_body(deliberation_id="d-1"))
    assert not outcome.settled.is_set()
    outcome.take(DEV)
    outcome.take(cancelled_body(deliberation_id="d-1"))
    assert outcome.settled.is_set()
    assert outcome.ends() == {"DEV": DEV}


def test_every_end_but_a_decision_is_an_exception_with_its_event() -> None:
    assert decision_of(DEV) is DEV
    with pytest.raises(NoCouncil) as none:
        decision_of(QA)
    assert none.value.event is QA
    with pytest.raises(DeliberationFailed, match="d-9 of role DEV failed: below the quorum") as failed:
        decision_of(failed_body(role="DEV", deliberation_id="d-9", reason="below the quorum"))
    assert not isinstance(failed.value, NoCouncil)
    with pytest.raises(DeliberationCancelled, match="not now"):
        decision_of(cancelled_body(reason="not now"))
