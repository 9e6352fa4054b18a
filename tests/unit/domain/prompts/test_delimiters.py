"""A text can't end its own block, whatever it holds, and readers who share a prompt share its mark."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.prompts.delimiters import delimited, derive_mark, explain_delimiters, first_absent

TEXTS = st.lists(st.text(max_size=60), max_size=6)


@given(st.text(max_size=20), TEXTS)
def test_the_mark_stands_in_no_text(seed: str, texts: list[str]) -> None:
    mark = derive_mark(seed, texts)

    assert len(mark) == 8
    assert set(mark) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert not [text for text in texts if mark in text.casefold()]


def test_a_mark_that_a_text_contains_is_passed_over() -> None:
    assert first_absent(["aaaaaaaa", "bbbbbbbb", "cccccccc"], ["=== aaaaaaaa ===", "xbbbbbbbbx"]) == "cccccccc"


@given(st.text(max_size=20), TEXTS)
def test_seed_and_texts_alone_decide_the_mark(seed: str, texts: list[str]) -> None:
    assert derive_mark(seed, texts) == derive_mark(seed, list(texts))
    assert derive_mark(seed, [*texts, "one more"]) != derive_mark(seed, texts)
    assert derive_mark(f"{seed}/1", texts) != derive_mark(seed, texts)


def test_where_a_text_begins_and_ends_counts_too() -> None:
    assert derive_mark("s", ["ab", "c"]) != derive_mark("s", ["a", "bc"])


@given(st.text(max_size=80))
def test_a_text_stands_whole_between_the_only_two_lines_with_the_mark(text: str) -> None:
    mark = derive_mark("seed", [text])

    block = delimited("PROPOSAL A", text, mark)

    opening, *body, closing = block.split("\n")
    assert (opening, closing) == (f"=== {mark} PROPOSAL A ===", f"=== {mark} END PROPOSAL A ===")
    assert "\n".join(body) == text.strip("\n")
    assert block.count(mark) == 2


def test_the_explanation_names_the_mark() -> None:
    assert "=== abcdefgh" in explain_delimiters("abcdefgh")
