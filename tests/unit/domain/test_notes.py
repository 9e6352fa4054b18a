"""Texts are found in whatever form a publisher keeps its notes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from domain.moments import iso_8601
from domain.notes import texts_of

anything: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["title", "text", "description", "id"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, ()),
        ("  ", ()),
        ("Go\n", ("Go",)),
        (["one", "", 2, None, " two "], ("one", "two")),
        ({"title": "Budget", "text": "a week", "id": "n-1"}, ("Budget: a week",)),
        ([{"description": "later"}, {"id": "n-1"}, {"title": 5, "content": "now"}], ("later", "now")),
        (7, ()),
        ([["nested"]], ()),
    ],
)
def test_the_texts_of_notes(value: JsonValue, texts: tuple[str, ...]) -> None:
    assert texts_of(value) == texts


@given(anything)
def test_any_json_is_read_and_no_text_is_blank(value: JsonValue) -> None:
    assert all(text.strip() == text != "" for text in texts_of(value))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-31T12:00:00+00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.5-00:00Z", "2026-01-31T12:00:00.5Z"),
        ("2026-01-31T12:00:00+0000Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_utc_named_twice_is_utc_and_every_other_time_stays(written: str, read: str) -> None:
    assert iso_8601(written) == read


@pytest.mark.parametrize("written", ["2026-01-31T12:00:00+02:00Z", "2026-01-31T12:00:00ZZ", "soon", "+00:00Z"])
def test_a_time_that_contradicts_itself_is_none(written: str) -> None:
    with pytest.raises(ValueError, match="must be ISO 8601"):
        iso_8601(written)
