"""What counts as the content of a message, so that the same key with another content is told."""

from __future__ import annotations

from typing import Any

import pytest

from domain.inbound import InboundEvent, deliberation_requested, plan_approved, story_transitioned
from domain.plan import PlanRequest

PLAN: dict[str, Any] = {
    "story_id": "s-1",
    "plan_id": "p-1",
    "approved_by": "po",
    "timestamp": "2026-01-31T12:00:00Z",
    "roles": ["DEV", "QA"],
    "title": "Search",
    "description": "Find orders",
    "acceptance_criteria": ["fast"],
    "constraints": {"rounds": 1, "deadline_s": 60, "rubric": ["speed"]},
    "priority": 2,
}
QUESTION: dict[str, Any] = {"role": "DEV", "question": "Which index?", "request_id": "q-1", "title": "Index"}


def approved(**changes: Any) -> PlanRequest:
    event = InboundEvent(payload=PLAN | changes, key="k-1", place="PLANNING_EVENTS:7", received_at=0.0)
    return plan_approved(event).requests[0]


def asked(**changes: Any) -> PlanRequest:
    event = InboundEvent(payload=QUESTION | changes, key="k-1", received_at=0.0)
    return deliberation_requested(event).requests[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "2026-02-01T12:00:00Z", "approved_by": "deputy"},
        {"sprint": 7, "constraints": PLAN["constraints"] | {"team": "blue"}},
        {"roles": ["QA", "DEV", "QA"]},
        {"constraints": {"rounds": 1, "deadline_s": 60.0, "rubric": {"criteria": [{"name": "speed"}]}}},
    ],
    ids=["who and when", "unknown fields", "order of roles", "notation"],
)
def test_what_is_no_content_may_differ(changes: dict[str, Any]) -> None:
    assert approved(**changes).asks_as(approved())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("story_id", "s-2"),
        ("roles", ["DEV"]),
        ("title", "Find"),
        ("description", "Find customers"),
        ("acceptance_criteria", []),
        ("constraints", None),
        ("constraints", PLAN["constraints"] | {"output_schema": {"type": "object"}}),
        ("priority", 3),
        ("po_notes", "Go"),
    ],
)
def test_everything_else_is_content(field: str, value: object) -> None:
    assert not approved(**{field: value}).asks_as(approved())


@pytest.mark.parametrize(
    ("field", "value"), [("role", "QA"), ("question", "Why?"), ("title", ""), ("story_id", "s")]
)
def test_a_question_under_its_key_is_held_to_its_content(field: str, value: object) -> None:
    assert asked(requested_by="ada", timestamp="2026-02-01T12:00:00Z").asks_as(asked())
    assert asked(**{field: value}).request_id == asked().request_id
    assert not asked(**{field: value}).asks_as(asked())


def test_another_table_of_phases_does_not_make_a_transition_another_one() -> None:
    moved = {"story_id": "s", "from_phase": "PLAN", "to_phase": "BUILD", "timestamp": "2026-01-31T12:00:00Z"}
    event = InboundEvent(payload=moved, received_at=0.0)
    first, second = (
        story_transitioned(event, {"BUILD": roles}).requests[0] for roles in (("DEV",), ("DEV", "QA"))
    )
    assert first.asks_as(second)


def test_a_request_of_version_0_1_asks_as_any_other() -> None:
    kept = approved().model_copy(update={"content": "", "place": ""})
    assert approved(title="Find").asks_as(kept)


def test_a_request_knows_where_its_message_lies() -> None:
    assert approved().place == "PLANNING_EVENTS:7"
