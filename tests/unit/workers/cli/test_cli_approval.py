"""A plan file becomes the message that a bridge accepts, or is refused with the reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.identity import deliberation_id, request_id
from domain.limits import Limits
from workers.cli.approve import announced, approval, validated
from workers.cli.cli_error import BadInput

PLAN = {"story_id": "s-1", "plan_id": "p-1", "roles": ["DEV", "QA"], "title": "Grüße"}
FULL = PLAN | {"approved_by": "po", "timestamp": "2026-01-31T12:00:00Z"}


def filled(plan: Any, roles: tuple[str, ...] = (), approved_by: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        approval(json.dumps(plan), source="plan.json", roles=roles, approved_by=approved_by)
    )
    return found


def refused(text: str, **options: Any) -> str:
    def approve() -> None:
        payload = approval(text, **({"source": "plan.json", "roles": (), "approved_by": None} | options))
        validated(payload, source="plan.json", max_bytes=1 << 20)

    with pytest.raises(BadInput) as caught:
        approve()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_the_file_says_is_sent_as_it_is() -> None:
    assert filled(FULL | {"sprint": 7}) == FULL | {"sprint": 7}


def test_who_and_when_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    found = filled(PLAN)
    assert found["approved_by"] == "ada"
    assert datetime.now(UTC) - datetime.fromisoformat(found["timestamp"]) < timedelta(minutes=1)


def test_options_win_over_the_file() -> None:
    found = filled(FULL, roles=("OPS",), approved_by="ada")
    assert (found["roles"], found["approved_by"]) == (["OPS"], "ada")


def test_an_envelope_is_sent_untouched() -> None:
    event = {"event_type": "plan.approved", "payload": FULL, "idempotency_key": "k-1"}
    assert filled(event) == event
    assert "stays as it is" in refused(json.dumps(event), roles=("DEV",))


def test_the_ids_printed_are_the_ones_a_bridge_will_derive() -> None:
    payload = approval(json.dumps(FULL), source="x", roles=(), approved_by=None)
    request = validated(payload, source="x", max_bytes=1 << 20)
    revision = "2026-01-31T12:00:00Z"
    assert announced(request) == {
        "request_id": request_id("p-1", revision),
        "plan_id": "p-1",
        "revision": revision,
        "deliberations": [
            {"role": role, "deliberation_id": deliberation_id("p-1", role, revision)} for role in ("DEV", "QA")
        ],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "must be a JSON object, not a list"),
        ('{"plan_id": "p"', "not JSON"),
        ('{"plan_id": "p", "plan_id": "q"}', "plan_id occurs twice"),
        (json.dumps({key: value for key, value in FULL.items() if key != "plan_id"}), "field plan_id is missing"),
        (json.dumps(FULL | {"plan_id": " "}), "field plan_id is empty"),
        (json.dumps(FULL | {"timestamp": "yesterday"}), "ISO 8601"),
        (json.dumps(FULL | {"roles": "DEV"}), "field roles must be a list"),
        (json.dumps(FULL | {"constraints": {"rounds": 99}}), "constraints.rounds"),
        (
            json.dumps(FULL | {"constraints": {"output_schema": {"items": 1}}}),
            "items must be a schema, not a number",
        ),
        (json.dumps(FULL | {"constraints": {"output_schema": {"$ref": "a.json"}}}), "refers to another document"),
        (json.dumps(FULL | {"description": "x" * 1_100_000}), "send less"),
    ],
)
def test_what_a_bridge_would_dead_letter_is_refused_with_its_reason(text: str, words: str) -> None:
    sentence = refused(text)
    assert sentence.startswith("plan.json can't be approved: ")
    assert words in sentence


def test_every_mistake_of_a_plan_is_listed_one_a_line() -> None:
    plan = {"story_id": "s", "id": "p", "roles": ["DEV", 3], "constraints": {"rounds": 9}, "priority": [1]}
    payload = approval(json.dumps(plan), source="plan.json", roles=(), approved_by="ada")
    with pytest.raises(BadInput) as caught:
        validated(payload, source="plan.json", max_bytes=1 << 20)
    assert str(caught.value).splitlines() == [
        "plan.json can't be approved:",
        "  field id is not known here; write plan_id",
        "  field roles[1] must be a string, not a number; correct it",
        "  field constraints.rounds must be less than or equal to 5; correct it",
        "  field priority must be a string or an integer, not a list; correct it",
    ]


def test_every_limit_that_a_plan_exceeds_is_listed() -> None:
    payload = approval(json.dumps(FULL | {"constraints": {"rounds": 3}}), source="x", roles=(), approved_by=None)
    with pytest.raises(BadInput) as caught:
        validated(payload, source="plan.json", max_bytes=1 << 20, limits=Limits(roles=1, rounds=2))
    assert str(caught.value).splitlines()[1:] == [
        "  field roles names 2 roles, 1 are allowed; send several plans",
        "  field constraints.rounds asks for 3, 2 are allowed; ask for less",
    ]
