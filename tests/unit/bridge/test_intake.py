"""What follows from a message: requests and events, or the reasons why it is rejected."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.intake import readers
from bridge.rejection import MAX_REASON
from bridge.subjects import DELIBERATION_REQUESTED, PLAN_APPROVED, STORY_TRANSITIONED
from domain import identity
from domain.contract import PhaseChangedBody
from domain.limits import Limits
from tests.unit.bridge.conftest import MakeMessage, accepted, reason

READERS = readers(phases={"BUILD": ("DEV", "QA"), "TEST": ("QA",)})


def test_an_approval_becomes_one_request(approval: dict[str, Any], message: MakeMessage) -> None:
    intake = accepted(READERS[PLAN_APPROVED](message(approval)))
    (request,) = intake.requests
    assert intake.events == ()
    assert request.plan.roles == ("DEV", "QA")
    assert request.revision == approval["timestamp"]
    assert request.request_id == identity.request_id("plan-1", approval["timestamp"])
    assert request.causation_id == "S:7"


def test_the_same_key_is_the_same_request_whatever_the_timestamp(
    approval: dict[str, Any], message: MakeMessage
) -> None:
    def request_id(timestamp: str, key: str) -> str:
        body = {
            "event_type": "plan.approved",
            "payload": approval | {"timestamp": timestamp},
            "idempotency_key": key,
        }
        return accepted(READERS[PLAN_APPROVED](message(body))).requests[0].request_id

    assert request_id("2026-01-01", "k") == request_id("2026-01-02", "k")
    assert request_id("2026-01-01", "k") != request_id("2026-01-01", "l")


@pytest.mark.parametrize("subject", [PLAN_APPROVED, DELIBERATION_REQUESTED, STORY_TRANSITIONED])
def test_what_the_operator_does_not_allow_is_refused_on_every_subject(
    approval: dict[str, Any], message: MakeMessage, subject: str
) -> None:
    read = readers(phases={"BUILD": ("DEV",)}, limits=Limits(rounds=1))[subject]
    body = approval | {"constraints": {"rounds": 2}, "from_phase": "PLAN", "to_phase": "BUILD"}
    body |= {"role": "DEV", "question": "How?"}
    assert reason(read(message(body, subject=subject))) == (
        "field constraints.rounds asks for 2, 1 are allowed; ask for less"
    )
    accepted(read(message(body | {"constraints": {"rounds": 1}}, subject=subject)))


@pytest.mark.parametrize("subject", [PLAN_APPROVED, DELIBERATION_REQUESTED, STORY_TRANSITIONED])
def test_a_schema_that_proposals_can_not_be_held_to_is_refused_on_every_subject(
    approval: dict[str, Any], message: MakeMessage, subject: str
) -> None:
    body = approval | {"from_phase": "PLAN", "to_phase": "BUILD", "role": "DEV", "question": "How?"}
    broken = body | {"constraints": {"output_schema": {"properties": {"steps": {"type": "list"}}}}}
    assert reason(READERS[subject](message(broken, subject=subject))).startswith(
        "field constraints.output_schema is no JSON Schema of draft 2020-12 that can be checked: "
        "properties/steps/type must be one of array, "
    )
    wrong = body | {"constraints": {"output_schema": "object"}}
    assert reason(READERS[subject](message(wrong, subject=subject))) == (
        "field constraints.output_schema must be an object, not a string; correct it"
    )
    schema = {"type": "object"}
    sound = body | {"constraints": {"output_schema": schema}}
    (request,) = accepted(READERS[subject](message(sound, subject=subject))).requests
    assert request.plan.constraints.output_schema == schema


def test_unknown_fields_are_kept(approval: dict[str, Any], message: MakeMessage) -> None:
    approval |= {"budget": {"eur": 12}, "constraints": {"rounds": 2, "colour": "red"}}
    plan = accepted(READERS[PLAN_APPROVED](message(approval))).requests[0].plan
    assert plan.model_extra == {"budget": {"eur": 12}}
    assert plan.constraints.rounds == 2
    assert plan.constraints.model_extra == {"colour": "red"}


def test_no_roles_is_an_order_too(approval: dict[str, Any], message: MakeMessage) -> None:
    assert accepted(READERS[PLAN_APPROVED](message(approval | {"roles": []}))).requests[0].plan.roles == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"plan_id": ""}, "field plan_id is empty; give it a value"),
        ({"story_id": "   "}, "field story_id is empty"),
        ({"approved_by": None}, "field approved_by must be a string, not null"),
        ({"plan_id": 7}, "field plan_id must be a string, not a number"),
        ({"plan_id": "x" * 513}, "field plan_id is longer than 512 characters"),
        ({"roles": "DEV"}, "field roles must be a list, not a string"),
        ({"roles": ["DEV", 3]}, "field roles[1] must be a string, not a number"),
        ({"roles": ["DEV", ""]}, "field roles[1] is empty"),
        ({"roles": [f"R{number}" for number in range(65)]}, "field roles has more than 64 entries"),
        ({"roles": [1] * 65}, "field roles has more than 64 entries"),
        ({"acceptance_criteria": [1] * 201}, "field acceptance_criteria has more than 200 entries"),
        (
            {"constraints": {"requirements": [1] * 2001}},
            "field constraints.requirements has more than 2000 entries",
        ),
        (
            {"constraints": {"rubric": [1] * 99}},
            "criteria[0] must be an object, not a number; correct it (and 8 more)",
        ),
        ({"timestamp": "yesterday"}, "field timestamp must be ISO 8601, like 2026-01-31T12:00:00Z"),
        ({"timestamp": 1_700_000_000}, "field timestamp must be a string, not a number"),
        ({"description": ["text"]}, "field description must be a string, not a list"),
        ({"acceptance_criteria": "one"}, "field acceptance_criteria must be a list, not a string"),
        ({"constraints": {"rounds": 6}}, "field constraints.rounds"),
        ({"constraints": {"rounds": "2"}}, "field constraints.rounds must be an integer, not a string"),
        ({"constraints": {"rounds": True}}, "field constraints.rounds must be an integer, not true or false"),
        ({"constraints": [1]}, "field constraints must be an object, not a list"),
        ({"constraints": {"rubric": {"criteria": [{"name": 5}]}}}, "field constraints.rubric"),
        ({"constraints": {"deadline_s": 0}}, "field constraints.deadline_s"),
    ],
)
def test_an_approval_that_does_not_fit_is_rejected(
    approval: dict[str, Any], message: MakeMessage, changes: dict[str, Any], complaint: str
) -> None:
    assert complaint in reason(READERS[PLAN_APPROVED](message(approval | changes)))


@pytest.mark.parametrize("field", ["story_id", "plan_id", "approved_by", "timestamp"])
def test_what_is_missing_is_named(approval: dict[str, Any], message: MakeMessage, field: str) -> None:
    del approval[field]
    assert reason(READERS[PLAN_APPROVED](message(approval))) == f"field {field} is missing; add it"


def test_several_mismatches_are_counted(message: MakeMessage) -> None:
    assert reason(READERS[PLAN_APPROVED](message({}))) == "field story_id is missing; add it (and 3 more)"


def test_a_field_under_another_name_is_one_mistake(approval: dict[str, Any], message: MakeMessage) -> None:
    approval["planId"] = approval.pop("plan_id")
    assert reason(READERS[PLAN_APPROVED](message(approval))) == "field planId is not known here; write plan_id"


def test_a_reason_counts_the_mistakes_that_are_too_many_to_list(
    approval: dict[str, Any], message: MakeMessage
) -> None:
    approval["constraints"] = {"requirements": [1] * 2000}
    rejection = READERS[PLAN_APPROVED](message(approval))
    assert reason(rejection) == (
        "field constraints.requirements[0] must be a string, not a number; correct it (and 1999 more)"
    )


def test_a_reason_is_one_bounded_printable_line(approval: dict[str, Any], message: MakeMessage) -> None:
    told = reason(
        READERS[PLAN_APPROVED](message(approval | {"constraints": {"rubric": {"x\n" * 5000: "y\n" * 5000}}}))
    )
    assert len(told) <= MAX_REASON
    assert told.isprintable()


def test_a_question_becomes_a_plan_of_one_role(message: MakeMessage) -> None:
    body = {
        "role": "ARCHITECT",
        "question": "Queue or table?",
        "request_id": "rq-1",
        "story_id": "story-2",
        "requested_by": "dev",
        "timestamp": "2026-01-31T12:00:00Z",
        "acceptance_criteria": ["names the trade-off"],
        "constraints": {"num_agents": 2},
        "colour": "red",
    }
    (request,) = accepted(READERS[DELIBERATION_REQUESTED](message(body, subject=DELIBERATION_REQUESTED))).requests
    plan = request.plan
    assert (plan.plan_id, plan.story_id, plan.approved_by) == ("rq-1", "story-2", "dev")
    assert (plan.roles, plan.description) == (("ARCHITECT",), "Queue or table?")
    assert plan.acceptance_criteria == ("names the trade-off",)
    assert plan.constraints.num_agents == 2
    assert plan.model_extra == {"colour": "red"}
    assert request.revision == "2026-01-31T12:00:00Z"


def test_a_question_without_an_id_is_named_by_its_content(message: MakeMessage) -> None:
    def request_id(**changes: Any) -> str:
        body = {"role": "DEV", "question": "Queue or table?"} | changes
        told = READERS[DELIBERATION_REQUESTED](message(body, subject=DELIBERATION_REQUESTED))
        return accepted(told).requests[0].request_id

    assert request_id() == request_id()
    others: list[dict[str, Any]] = [
        {"role": "QA"},
        {"question": "Why?"},
        {"story_id": "s"},
        {"acceptance_criteria": ["x"]},
    ]
    others += [{"constraints": {"rounds": 1}}, {"timestamp": "2026-01-31"}, {"request_id": "r"}]
    assert len({request_id(), *(request_id(**other) for other in others)}) == len(others) + 1


def test_a_question_without_a_date_is_dated_by_the_time_it_was_stored(message: MakeMessage) -> None:
    told = READERS[DELIBERATION_REQUESTED](
        message({"role": "DEV", "question": "?"}, subject=DELIBERATION_REQUESTED)
    )
    assert accepted(told).requests[0].plan.timestamp == "2023-11-14T22:13:20.500000+00:00"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"role": " "}, "field role is empty"),
        ({"question": "\n"}, "field question is empty"),
        ({"question": None}, "field question must be a string, not null"),
        ({"timestamp": "soon"}, "field timestamp must be ISO 8601"),
        ({"request_id": ""}, "field request_id is empty"),
    ],
)
def test_a_question_that_does_not_fit_is_rejected(
    message: MakeMessage, changes: dict[str, Any], complaint: str
) -> None:
    body = {"role": "DEV", "question": "Why?"} | changes
    assert complaint in reason(READERS[DELIBERATION_REQUESTED](message(body, subject=DELIBERATION_REQUESTED)))


def moved(**changes: Any) -> dict[str, Any]:
    return {
        "story_id": "story-1",
        "from_phase": "PLAN",
        "to_phase": "BUILD",
        "timestamp": "2026-01-31T12:00:00Z",
    } | changes


def test_a_transition_into_a_phase_of_the_table_asks_its_roles_and_is_answered(message: MakeMessage) -> None:
    intake = accepted(READERS[STORY_TRANSITIONED](message(moved(), subject=STORY_TRANSITIONED)))
    (request,), (event,) = intake.requests, intake.events
    assert (request.plan.plan_id, request.plan.roles) == ("story-1:BUILD", ("DEV", "QA"))
    assert request.revision == "2026-01-31T12:00:00Z"
    assert event.event_type == "orchestration.phase.changed"
    assert event.body.model_dump(mode="json") == {
        "event_type": "orchestration.phase.changed",
        "story_id": "story-1",
        "timestamp": 1_700_000_000.5,
        "from_phase": "PLAN",
        "to_phase": "BUILD",
        "transitioned_at": "2026-01-31T12:00:00Z",
        "plan_id": "story-1:BUILD",
        "revision": "2026-01-31T12:00:00Z",
        "roles": ["DEV", "QA"],
    }


def test_any_other_transition_is_answered_and_asks_no_role(message: MakeMessage) -> None:
    intake = accepted(READERS[STORY_TRANSITIONED](message(moved(to_phase="DONE"), subject=STORY_TRANSITIONED)))
    assert intake.requests == ()
    (body,) = [event.body for event in intake.events]
    assert isinstance(body, PhaseChangedBody)
    assert (body.roles, body.plan_id) == ((), None)


def test_the_same_transition_is_answered_by_the_same_event(message: MakeMessage) -> None:
    def event_id(**changes: Any) -> str:
        told = READERS[STORY_TRANSITIONED](message(moved(**changes), subject=STORY_TRANSITIONED))
        return accepted(told).events[0].event_id

    assert event_id() == event_id()
    assert len({event_id(), event_id(from_phase="TEST"), event_id(timestamp="2026-02-01")}) == 3


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"to_phase": ""}, "field to_phase is empty"),
        ({"from_phase": 3}, "field from_phase must be a string"),
        ({"timestamp": "never"}, "field timestamp must be ISO 8601"),
        ({"story_id": "s" * 512}, "field plan_id is longer than 512 characters"),
    ],
)
def test_a_transition_that_does_not_fit_is_rejected(
    message: MakeMessage, changes: dict[str, Any], complaint: str
) -> None:
    assert complaint in reason(READERS[STORY_TRANSITIONED](message(moved(**changes), subject=STORY_TRANSITIONED)))
