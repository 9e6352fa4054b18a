"""A proposal satisfies its plan's schema or is removed, and the reason tells nothing of its text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from domain.checks.check import CheckResult, PlanFacts
from domain.checks.gate import GateReport, run_gate
from domain.checks.not_empty import NotEmpty
from domain.checks.runner import InProcess, outcome
from tests.unit.domain.test_output_schema import JSON, SCHEMAS, TREE
from workers.checks.output_schema import MAX_DEPTH, OutputSchema

PLAN = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 3},
        "steps": {"type": "array", "items": {"type": "object", "required": ["what", "proof"]}, "minItems": 1},
    },
    "required": ["title", "steps"],
    "additionalProperties": {"type": "integer"},
}
SOUND = {"title": "Reset", "steps": [{"what": "Send a link", "proof": "a test"}]}


def check(text: str, schema: dict[str, Any] | None = PLAN) -> CheckResult:
    return outcome(OutputSchema(), text, PlanFacts(output_schema=schema))


def gate(text: str, *checks: OutputSchema | NotEmpty, schema: dict[str, Any] | None = PLAN) -> GateReport:
    return run_gate(InProcess(checks), text, PlanFacts(output_schema=schema))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SOUND),
        json.dumps(SOUND, indent=2, ensure_ascii=False) + "\n",
        f"Our plan:\n\n```json\n{json.dumps(SOUND, indent=2)}\n```\n\nThat is all.",
        f"```JSON\n{json.dumps(SOUND)}\n```\n\n```python\nprint()\n```",
    ],
)
def test_a_proposal_is_its_one_block_of_json_or_else_its_whole_text(text: str) -> None:
    assert (check(text).passed, check(text).reason) == (True, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1. Send a link.", "it is not JSON in line 1"),
        (f"Here it is: {json.dumps(SOUND)}", "it is not JSON in line 1"),
        (f"```\n{json.dumps(SOUND)}\n```", "it is not JSON in line 1"),
        (json.dumps(SOUND)[:-1], "it is not JSON in line 1"),
        ("```json\n{}\n```\n```json\n{}\n```", "it holds 2 blocks of JSON, one is allowed"),
        ('{"title": "Reset", "title": "Again"}', "an object holds one name twice"),
        ('{"title": NaN}', "it holds NaN, which is not JSON"),
        ('{"title": 1e999}', "it holds a number too large for a double"),
        ('{"title": ' + "9" * 5_000 + "}", "it holds an integer too long to be read"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), f"nested deeper than {MAX_DEPTH} levels"),
        ("[" * 100_000 + "]" * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
        ("{}", 'the whole breaks required: ["title", "steps"]'),
        ('{"title": "ab", "steps": []}', "title breaks minLength: 3; steps breaks minItems: 1"),
        ('{"title": "abc", "steps": [{}, {"what": 1}]}', 'steps[0] breaks required: ["what", "proof"]; steps[1]'),
        ('{"title": "abc", "steps": [1, 2, 3, 4]}', '; steps[2] breaks type: "object"; more'),
        ('{"title": "abc", "steps": [{"what": 1, "proof": 1}], "SECRET": "SECRET"}', '* breaks type: "integer"'),
    ],
)  # fmt: skip
def test_one_that_does_not_satisfy_it_is_removed_for_a_reason_without_its_text(text: str, reason: str) -> None:
    result = check(text)

    assert reason in result.reason
    assert result.reason.startswith("does not satisfy the plan's output schema: ")
    assert "SECRET" not in result.reason
    assert len(result.reason) < 600
    report = gate(text, OutputSchema())
    assert (report.excluded, report.off_form, report.cap) == (True, True, None)


@given(SCHEMAS, JSON)
def test_it_says_what_jsonschema_says(inner: Any, value: Any) -> None:
    schema = {"$defs": {"leaf": {"type": "boolean"}}, "$id": "https://example.com/s", "anyOf": [inner]}

    result = check(json.dumps(value), schema)

    assert result.judged
    assert result.passed == Draft202012Validator(schema).is_valid(value)


@given(st.text() | JSON.map(json.dumps))
def test_no_text_makes_it_raise(text: str) -> None:
    assert "itself failed" not in check(text).reason


def test_a_recursive_schema_is_followed_into_the_value() -> None:
    leaf: dict[str, Any] = {"children": []}
    assert check(json.dumps({"children": [leaf, {"children": [leaf]}]}), TREE).passed
    assert not check(json.dumps({"children": [{"children": 7}]}), TREE).passed


def test_a_reference_to_elsewhere_is_not_fetched_even_where_no_intake_refused_it() -> None:
    report = gate("{}", OutputSchema(), schema={"$ref": "http://127.0.0.1:9/schema"})
    assert report.excluded
    assert "itself failed" in report.failures[0].reason


def test_a_plan_that_demands_nothing_has_no_such_row() -> None:
    report = gate("Send a link.", NotEmpty(), OutputSchema(), schema=None)
    assert [result.name for result in report.results] == ["not_empty"]
    assert not report.excluded


def test_a_proposal_that_could_not_be_judged_is_removed_and_the_reason_says_so() -> None:
    class Late(OutputSchema):
        def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
            raise MemoryError

    late, left_out = gate(json.dumps(SOUND), Late()), gate(json.dumps(SOUND), NotEmpty())
    for report, why in ((late, "it ran out of memory"), (left_out, "this check is left out here")):
        assert report.excluded
        assert report.off_form
        (failure,) = [one for one in report.failures if one.name == "output_schema"]
        assert failure.reason.startswith("not judged: ")
        assert why in failure.reason
        assert failure.reason.endswith("; what was not seen to satisfy it can't win")
