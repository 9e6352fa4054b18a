"""Every way of guided decoding asks for exactly the form, and gives the compact text back."""

from __future__ import annotations

import json
import re
from itertools import cycle
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ScoreForm
from domain.engine import Guidance
from tests.support.scripted_answers import sheet
from workers.engines.guided_decoding import GUIDED_DECODINGS

forms = st.builds(ScoreForm, rows=st.integers(1, 64), columns=st.integers(1, 8))
scores = st.lists(st.integers(1, 9), min_size=1, max_size=64)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["scores", "x"]), inner),
    max_leaves=12,
)


def parsed(text: str, form: ScoreForm) -> list[list[int]] | None:
    rows = form.read(text)
    return None if rows is None else [list(row) for row in rows]


@pytest.mark.parametrize("guidance", list(Guidance))
@given(form=forms, digits=scores)
def test_an_answer_within_the_constraint_is_read_as_the_scores_it_holds(
    guidance: Guidance, form: ScoreForm, digits: list[int]
) -> None:
    decoding, source = GUIDED_DECODINGS[guidance], cycle(digits)
    answer = sheet({"messages": [], **decoding.request_fields(form)}, source)
    again = cycle(digits)
    expected = [[next(again) for _ in range(form.columns)] for _ in range(form.rows)]
    assert parsed(decoding.compact_text(answer, form), form) == expected


@given(form=forms)
def test_the_regex_accepts_the_compact_text_and_nothing_longer_or_shorter(form: ScoreForm) -> None:
    regex = GUIDED_DECODINGS[Guidance.REGEX].request_fields(form)["structured_outputs"]["regex"]
    text = ",".join(["5" * form.columns] * form.rows)
    assert re.fullmatch(regex, text)
    assert not re.fullmatch(regex, text + "5")
    assert not re.fullmatch(regex, text + ",5")
    assert not re.fullmatch(regex, text[:-1])


@given(form=forms)
def test_the_schema_accepts_the_scores_and_refuses_a_row_too_few(form: ScoreForm) -> None:
    schema = GUIDED_DECODINGS[Guidance.JSON_SCHEMA].request_fields(form)["response_format"]["json_schema"][
        "schema"
    ]
    jsonschema.validate({"scores": [[5] * form.columns] * form.rows}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"scores": [[5] * form.columns] * (form.rows - 1)}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"scores": [[0] * form.columns] * form.rows}, schema)


@given(value=json_values, form=forms)
def test_any_other_json_is_handed_on_as_it_came_unless_it_is_on_form(value: Any, form: ScoreForm) -> None:
    text = json.dumps(value)
    compact = GUIDED_DECODINGS[Guidance.JSON_SCHEMA].compact_text(text, form)
    assert compact == text or parsed(compact, form) == value["scores"]


@given(text=st.text(max_size=50), form=forms)
def test_text_that_is_no_json_is_handed_on_as_it_came(text: str, form: ScoreForm) -> None:
    try:
        json.loads(text)
    except ValueError:
        assert GUIDED_DECODINGS[Guidance.JSON_SCHEMA].compact_text(text, form) == text


def test_true_is_not_taken_for_a_one() -> None:
    text = '{"scores": [[true]]}'
    assert GUIDED_DECODINGS[Guidance.JSON_SCHEMA].compact_text(text, ScoreForm(rows=1, columns=1)) == text


@given(form=forms)
def test_json_gets_room_for_a_token_a_character(form: ScoreForm) -> None:
    answer = json.dumps({"scores": [[5] * form.columns] * form.rows}, separators=(",", ":"))
    assert GUIDED_DECODINGS[Guidance.JSON_SCHEMA].max_tokens(form, compact_tokens=1) >= len(answer)
