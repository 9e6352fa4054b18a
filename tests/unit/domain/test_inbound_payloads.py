"""A payload that is parsed already is judged as its JSON text is: the same value, or the same mistakes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.inbound import DeliberationRequested, StoryTransitioned
from domain.plan import Plan, WireValue
from domain.validation.validate import InvalidInput, invalid, validate

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.sampled_from(["", " ", "DEV", "2026-01-31T12:00:00Z", "x" * 513, "2", "\U0001f600"]) | st.text(
    st.characters(codec="utf-8"), max_size=8
)
anything = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
lists = st.lists(texts | anything, max_size=4)
criterion = st.fixed_dictionaries(
    {}, optional={"name": texts | anything, "weight": scalars | texts, "description": anything, "extra": anything}
)
rubric = st.one_of(
    anything,
    st.lists(texts | criterion, max_size=9),
    st.dictionaries(texts, scalars | texts, max_size=3),
    st.fixed_dictionaries({"criteria": st.lists(texts | criterion, max_size=3)}),
)
constraints = anything | st.fixed_dictionaries(
    {},
    optional={
        "rubric": rubric,
        "requirements": lists | anything,
        "rounds": st.integers(-1, 6) | anything,
        "num_agents": st.integers(0, 17) | anything,
        "max_tokens": st.integers() | anything,
        "deadline_s": st.integers(-1, 90_000) | st.floats(-1, 90_000) | anything,
        "colour": anything,
    },
)
FIELDS = {
    **dict.fromkeys(
        ("story_id", "plan_id", "approved_by", "timestamp", "role", "question", "title"), texts | anything
    ),
    **dict.fromkeys(("from_phase", "to_phase", "request_id", "requested_by", "description"), texts | anything),
    **dict.fromkeys(("roles", "acceptance_criteria"), lists | anything),
    "constraints": constraints,
    "priority": texts | anything,
    "colour": anything,
}
GOOD = {
    "story_id": "s",
    "plan_id": "p",
    "approved_by": "po",
    "timestamp": "2026-01-31T12:00:00Z",
    "roles": ["DEV"],
    "role": "DEV",
    "question": "Why?",
    "from_phase": "PLAN",
    "to_phase": "BUILD",
}
payloads = st.builds(
    lambda good, changes: (GOOD if good else {}) | changes,
    st.booleans(),
    st.dictionaries(st.sampled_from(list(FIELDS)), st.none(), max_size=4).flatmap(
        lambda names: st.fixed_dictionaries({name: FIELDS[name] for name in names})
    ),
)


def outcome(model: type[WireValue], payload: dict[str, Any]) -> WireValue | list[str]:
    try:
        return validate(model, payload)
    except InvalidInput as error:
        return [mistake.sentence for mistake in error.mistakes]


def outcome_of_text(model: type[WireValue], payload: dict[str, Any]) -> WireValue | list[str]:
    try:
        return model.model_validate_json(json.dumps(payload), strict=True)
    except ValidationError as error:
        return [mistake.sentence for mistake in invalid(error, model).mistakes]


@pytest.mark.parametrize("model", [Plan, DeliberationRequested, StoryTransitioned])
@settings(max_examples=200)
@given(payload=payloads)
def test_a_parsed_payload_comes_to_the_same_as_its_text(model: type[WireValue], payload: dict[str, Any]) -> None:
    assert outcome(model, payload) == outcome_of_text(model, payload)


@pytest.mark.parametrize("model", [Plan, DeliberationRequested, StoryTransitioned])
def test_lists_and_whole_numbers_are_taken_at_every_level(model: type[WireValue]) -> None:
    criteria = [{"name": "fit", "weight": 2}, "clarity"]
    constraints = {"requirements": ["r"], "deadline_s": 60, "rubric": {"criteria": criteria}}
    payload = GOOD | {"acceptance_criteria": ["a", "b"], "constraints": constraints}
    found = outcome(model, payload)
    assert isinstance(found, model)
    assert found == outcome_of_text(model, payload)
