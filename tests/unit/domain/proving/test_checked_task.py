"""Where an answer is in a text, and which tasks are refused."""

from __future__ import annotations

import pytest

from domain.proving.checked_task import CheckedTask, answer_in, code_in
from domain.validation.validate import InvalidInput, validate


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("42", "42"),
        ("First we add.\nAnswer: 42", "42"),
        ("Answer: 1\nNo, once more.\nAnswer:  42 ", "42"),
        ("**Answer:** 42.", "42"),
        ("**Answer: 42**", "42"),
        ("answer : `New   York`", "New York"),
        ("### Answer:\n\n  42\n\nThat is all.", "42"),
        ("Answer:\n", ""),
        ("The answer is 42", "The answer is 42"),
        ("a\n  b\tc", "a b c"),
        ("Answer: 3.50", "3.50"),
    ],
)
def test_the_answer_is_what_follows_the_last_mark(text: str, answer: str) -> None:
    assert answer_in(text) == answer


def test_code_is_the_first_block_or_everything() -> None:
    assert code_in("Here:\n```python\nx = 1\n```\nand\n```\ny = 2\n```") == "x = 1\n"
    assert code_in("x = 1") == "x = 1"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "exactly one of answer, matches, asserts, command says what is right, found none"),
        ({"answer": "1", "matches": "1"}, "found answer and matches"),
        ({"matches": "("}, "field matches is no regular expression of Python's"),
        ({"answer": "1", "files": {"a": "b"}}, "files are only for a command; leave them out"),
        ({"command": ["sh"], "files": {"../a": "b"}}, "files"),
        ({"command": []}, "command"),
        ({"answers": "1"}, "write answer"),
        ({"answer": True}, "answer"),
    ],
)
def test_a_task_that_does_not_fit_is_refused_in_a_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        validate(CheckedTask, {"id": "t", "question": "How many?"} | changes)


def test_a_number_may_be_written_as_one() -> None:
    assert validate(CheckedTask, {"id": "t", "question": "How many?", "answer": 42}).answer == "42"
