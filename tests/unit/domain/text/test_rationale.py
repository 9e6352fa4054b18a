"""The rationale of a proposal is what its text says first about why."""

from __future__ import annotations

import pytest

from domain.text.rationale import LONGEST, rationale_of

STEPS = "1. Add the token table.\n2. Mail the link."
BECAUSE = "Tokens expire. Links can't be guessed."


@pytest.mark.parametrize(
    "text",
    [
        f"{STEPS}\n\n## Why\n\n{BECAUSE}\n\n## Tests\nSend one.",
        f"{STEPS}\n\n**Why this works:** {BECAUSE}\n\nMore.",
        f"{STEPS}\n- Rationale: {BECAUSE}",
        f"{STEPS}\n### 3. Reasoning\n{BECAUSE}",
        f"{STEPS}\nWhy? Tokens expire.\nLinks can't be guessed.\n",
        f"Why:\n{BECAUSE}\n\n{STEPS}",
    ],
)
def test_what_stands_below_why_is_the_rationale(text: str) -> None:
    assert rationale_of(text) == BECAUSE


@pytest.mark.parametrize(
    ("text", "rationale"),
    [
        (f"# Plan\n\n{BECAUSE}\n\n{STEPS}", BECAUSE),
        (STEPS, "Add the token table. Mail the link."),
        (f"Why not wait is a fair question.\n\n{STEPS}", "Why not wait is a fair question."),
        (f"```python\nwhy = 1\n```\n{BECAUSE}", BECAUSE),
        ("## Why\n", ""),
        ("", ""),
    ],
    ids=["heading", "steps", "why in prose", "code", "nothing below", "empty"],
)
def test_without_why_the_first_paragraph_stands_for_it(text: str, rationale: str) -> None:
    assert rationale_of(text) == rationale


def test_it_is_bounded_at_a_sentence() -> None:
    assert rationale_of("Why: One. Two! Three? Four. Five.") == "One. Two! Three?"
    assert rationale_of(f"Why: Short. {'x' * LONGEST}.") == "Short."


def test_one_long_sentence_is_cut_with_a_mark() -> None:
    rationale = rationale_of("Why: " + "word " * 10_000)
    assert len(rationale) <= LONGEST
    assert rationale.endswith("word\u2026")


def test_hidden_characters_are_no_part_of_it() -> None:
    assert rationale_of("Why: To\u200bkens\u202e expire.") == "Tokens expire."
