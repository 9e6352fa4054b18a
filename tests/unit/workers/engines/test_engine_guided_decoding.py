"""Every way of guided decoding asks for exactly the form, and gives the form's own text back."""

from __future__ import annotations

import json
import re
from itertools import cycle, islice
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ScoreForm
from domain.engine import Guidance
from tests.support.scripted_answers import sheet
from workers.engines.guided_decoding import GUIDED_DECODINGS

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 _-]{0,20}\Z")
forms = st.builds(ScoreForm, lines=st.lists(NAMES, min_size=1, max_size=20, unique=True).map(tuple))
choices = st.builds(
    ScoreForm, lines=st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple), highest=st.integers(2, 8)
)
checked = st.lists(NAMES, min_size=4, max_size=8, unique=True).map(
    lambda names: ScoreForm(lines=tuple(names[:2]), checks=tuple(names[2:]))
)
scores = st.lists(st.integers(1, 9), min_size=1, max_size=64)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["A", "B", "x"]), inner),
    max_leaves=12,
)
TWO = ScoreForm(lines=("A", "B"))


def schema_of(form: ScoreForm) -> dict[str, Any]:
    wanted = GUIDED_DECODINGS[Guidance.JSON_SCHEMA].request_fields(form)["response_format"]
    schema: dict[str, Any] = wanted["json_schema"]["schema"]
    return schema


@pytest.mark.parametrize("guidance", list(Guidance))
@given(form=forms, digits=scores)
def test_an_answer_within_the_constraint_is_read_as_the_scores_it_holds(
    guidance: Guidance, form: ScoreForm, digits: list[int]
) -> None:
    decoding = GUIDED_DECODINGS[guidance]
    answer = sheet({"messages": [], **decoding.request_fields(form)}, cycle(digits))
    assert form.read(decoding.compact_text(answer, form)) == tuple(islice(cycle(digits), len(form.lines)))


@pytest.mark.parametrize("guidance", list(Guidance))
@given(form=checked, digits=scores)
def test_checks_within_the_constraint_are_answered_yes_or_no(
    guidance: Guidance, form: ScoreForm, digits: list[int]
) -> None:
    decoding = GUIDED_DECODINGS[guidance]
    answer = sheet({"messages": [], **decoding.request_fields(form)}, cycle(digits))
    drawn = islice(cycle(digits), len(form.rows))
    worth = tuple(digit if place < len(form.lines) else digit % 2 for place, digit in enumerate(drawn))
    assert form.read(decoding.compact_text(answer, form)) == worth
    assert len(answer) <= decoding.max_tokens(form, form.max_tokens)


@given(form=checked)
def test_a_check_takes_nothing_but_yes_or_no(form: ScoreForm) -> None:
    regex = GUIDED_DECODINGS[Guidance.REGEX].request_fields(form)["structured_outputs"]["regex"]
    schema = jsonschema.Draft202012Validator(schema_of(form))
    text, answer = form.shape.replace(": x", ": 5"), dict.fromkeys(form.lines, 5)
    for word, fits in (("yes", True), ("no", True), ("1", False), ("maybe", False)):
        assert bool(re.fullmatch(regex, text.replace(": y", f": {word}"))) is fits
        whole = {**answer, **dict.fromkeys(form.checks, word)}
        assert schema.is_valid(whole) is fits
        compact = GUIDED_DECODINGS[Guidance.JSON_SCHEMA].compact_text(json.dumps(whole), form)
        assert (form.read(compact) is not None) is fits


@given(form=forms)
def test_the_regex_accepts_the_text_and_nothing_longer_or_shorter(form: ScoreForm) -> None:
    regex = GUIDED_DECODINGS[Guidance.REGEX].request_fields(form)["structured_outputs"]["regex"]
    text = form.shape.replace(": x", ": 5")
    assert re.fullmatch(regex, text)
    assert not re.fullmatch(regex, text + "5")
    assert not re.fullmatch(regex, text + "\nA: 5")
    assert not re.fullmatch(regex, text[:-1])


@given(form=choices)
def test_no_digit_above_the_highest_is_within_the_constraint(form: ScoreForm) -> None:
    regex = GUIDED_DECODINGS[Guidance.REGEX].request_fields(form)["structured_outputs"]["regex"]
    grammar = GUIDED_DECODINGS[Guidance.GRAMMAR].request_fields(form)["grammar"]
    schema = jsonschema.Draft202012Validator(schema_of(form))
    for digit, fits in ((form.highest, True), (form.highest + 1, False)):
        text = form.shape.replace(": x", f": {digit}")
        assert bool(re.fullmatch(regex, text)) is fits
        assert (form.read(text) is not None) is fits
        assert schema.is_valid(dict.fromkeys(form.lines, digit)) is fits
    assert set(re.findall(r"\[.*?\]", grammar)) == {f"[1-{form.highest}]"}


@given(form=forms)
def test_the_schema_accepts_the_scores_and_refuses_a_line_too_few(form: ScoreForm) -> None:
    schema = schema_of(form)
    whole = dict.fromkeys(form.lines, 5)
    jsonschema.validate(whole, schema)
    wrong = (dict.fromkeys(form.lines[1:], 5), dict.fromkeys(form.lines, 0), {**whole, "more: ": 5})
    for value in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(value, schema)


@given(value=json_values, form=st.just(TWO))
def test_any_other_json_is_handed_on_as_it_came_unless_it_is_on_form(value: Any, form: ScoreForm) -> None:
    text = json.dumps(value)
    compact = GUIDED_DECODINGS[Guidance.JSON_SCHEMA].compact_text(text, form)
    assert compact == text or form.read(compact) == (value["A"], value["B"])


@given(text=st.text(max_size=50), form=forms)
def test_text_that_is_no_json_is_handed_on_as_it_came(text: str, form: ScoreForm) -> None:
    try:
        json.loads(text)
    except ValueError:
        assert GUIDED_DECODINGS[Guidance.JSON_SCHEMA].compact_text(text, form) == text


def test_true_is_not_taken_for_a_one() -> None:
    text = '{"A": true, "B": 5}'
    assert GUIDED_DECODINGS[Guidance.JSON_SCHEMA].compact_text(text, TWO) == text


@given(form=forms)
def test_json_gets_room_for_a_token_a_character(form: ScoreForm) -> None:
    answer = json.dumps(dict.fromkeys(form.lines, 5), indent=1)
    assert GUIDED_DECODINGS[Guidance.JSON_SCHEMA].max_tokens(form, form.max_tokens) >= len(answer)
