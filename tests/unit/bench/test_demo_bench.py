"""What the demo's bench takes for a proposal that can be shown."""

from __future__ import annotations

import pytest

from tests.bench.demo.readable import differ, fault

READABLE = (
    "We keep the data of our customers in one database that two people may open. "
    "Every night a copy goes to another building, and once a month we try to restore it."
)


def test_two_whole_sentences_can_be_shown() -> None:
    assert fault(READABLE) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# Proposal for the DEV council", "30 characters"),
        (READABLE + " Then we", "it does not end with a sentence"),
        (READABLE + " Once a month we try it. Once a month we try it.", "it says a sentence twice"),
        (READABLE * 20, "characters"),
    ],
)
def test_what_cannot_is_named(text: str, why: str) -> None:
    assert why in fault(text)


def test_a_text_with_a_word_changed_is_no_other_proposal() -> None:
    assert not differ([READABLE, READABLE.replace("database", "place")])
    assert differ([READABLE, "Passwords are stored as hashes, and nobody in the company can read one of them."])
