"""Expected scores out of `logprobs` as engines give them, and nothing out of what no engine should give."""

from __future__ import annotations

import json
from math import inf, log, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ScoreForm
from workers.adapters.openai.expected_scores import expected_scores

FORM = ScoreForm(lines=("A fit", "B fit"))
ANSWER = "A fit: 7\nB fit: 5"
JSON = '{"A fit": 7, "B fit": 5}'


def token(text: str, logprob: Any = -0.1, **shares: float) -> dict[str, Any]:
    """A token with alternatives; `_` in a name stands for a blank, `n` for a line break."""
    names = {name: name.replace("d", "").replace("_", " ").replace("n", "\n") for name in shares}
    rows = [{"token": names[name], "logprob": log(share), "bytes": [0]} for name, share in shares.items()]
    return {"token": text, "logprob": logprob, "top_logprobs": rows}


def told(*tokens: dict[str, Any]) -> dict[str, Any]:
    return {"content": list(tokens)}


PLAIN = told(token("A fit"), token(": "), token("7", d7=0.6, d9=0.2, d8=0.1), token("\nB fit: "), token("5", d5=1))

SOUND = {
    "a digit is a token (Qwen, Llama, SmolLM2)": PLAIN,
    "a digit joined with the blank before it (GPT-2)": told(
        token("A fit:"), token(" 7", _7=0.6, _9=0.2, _8=0.1, the=0.1), token("\nB fit:"), token(" 5", _5=1)
    ),
    "a digit joined with the line break behind it": told(
        token("A fit: "), token("7\n", d7n=0.6, d9n=0.2, d8n=0.1), token("B fit: "), token("5", d5=1)
    ),
    "alternatives with and without a blank": told(
        token("A fit: "), token("7", d7=0.4, _7=0.2, d9=0.2, d8=0.1), token("\nB fit: "), token("5", d5=1)
    ),
    "thoughts before the answer": told(token("<think>A fit: 1</think>"), *PLAIN["content"]),
    "the token that ends the turn": told(*PLAIN["content"], token("<|im_end|>")),
    "more than digits among the alternatives": told(
        token("A fit: "),
        token("7", d7=0.3, d9=0.1, d8=0.05, A=0.5, d77=0.05),
        token("\nB fit: "),
        token("5", d5=1),
    ),
}


def test_a_choice_reads_the_digits_that_it_allows_and_no_other() -> None:
    choice = ScoreForm(lines=("better",), highest=2)
    logprobs = told(token("better: "), token("2", d2=0.3, d1=0.1, d7=0.6))
    assert expected_scores(logprobs, "better: 2", choice.rows) == pytest.approx((1.75,))


def word(text: str, shares: dict[str, float]) -> dict[str, Any]:
    """A token with these alternatives."""
    rows = [{"token": told, "logprob": log(share)} for told, share in shares.items()]
    return {"token": text, "logprob": -0.1, "top_logprobs": rows}


CHECK = ScoreForm(lines=("A",), checks=("A meets 1",))
CHECKS = {
    "a word is a token": (token(":"), word(" yes", {" yes": 0.6, " no": 0.2, " Yes": 0.2})),
    "the blank stands before it": (token(": "), word("yes", {"yes": 0.6, "no": 0.2, "maybe": 0.2})),
    "blank and colon are joined with it": (word(": yes", {": yes": 0.6, ": no": 0.2}),),
    "a word is two tokens": (token(":"), word(" y", {" y": 0.6, " no": 0.15, " n": 0.05}), word("es", {"es": 1})),
    "joined with the line break behind it": (token(":"), word(" yes\n", {" yes\n": 0.6, " no\n": 0.2})),
}


@pytest.mark.parametrize("tokens", CHECKS.values(), ids=CHECKS)
def test_a_check_is_the_probability_of_yes(tokens: tuple[dict[str, Any], ...]) -> None:
    logprobs = told(token("A: "), token("7", d7=1), token("\nA meets 1"), *tokens)
    assert expected_scores(logprobs, "A: 7\nA meets 1: yes", CHECK.rows) == pytest.approx((7.0, 0.75), abs=1e-3)


def test_a_check_in_json_is_read_at_its_string() -> None:
    no = word("no", {"yes": 0.1, "no": 0.3})
    logprobs = told(token('{"A": '), token("7", d7=1), token(', "A meets 1": "'), no, token('"}'))
    assert expected_scores(logprobs, '{"A": 7, "A meets 1": "no"}', CHECK.rows) == pytest.approx((7.0, 0.25))


@pytest.mark.parametrize("logprobs", SOUND.values(), ids=SOUND)
def test_the_mean_is_taken_over_the_probabilities_of_digits(logprobs: Any) -> None:
    expected = (0.6 * 7 + 0.2 * 9 + 0.1 * 8) / 0.9
    assert expected_scores(logprobs, ANSWER, FORM.rows) == pytest.approx((expected, 5.0), abs=1e-3)


def test_json_is_read_at_its_values() -> None:
    logprobs = told(
        token('{"A fit": '), token("7", d7=0.5, d9=0.5), token(', "B fit": '), token("5", d5=1), token("}")
    )
    assert expected_scores(logprobs, JSON, FORM.rows) == (8.0, 5.0)


def test_the_token_itself_counts_where_no_alternative_is_told() -> None:
    logprobs = told(token("A fit: "), token("7"), token("\nB fit: "), token("5"))
    assert expected_scores(logprobs, ANSWER, FORM.rows) == (7.0, 5.0)


def with_place(**changes: Any) -> dict[str, Any]:
    tokens = [dict(token) for token in PLAIN["content"]]
    tokens[2] |= changes
    return told(*tokens)


UNSOUND: dict[str, Any] = {
    "nothing": None,
    "a word": "yes",
    "a list": [],
    "no content": {},
    "content is null, as for text beside tools": {"content": None},
    "no tokens": told(),
    "tokens are words": {"content": ["A", "7"]},
    "a token is a number": with_place(token=7),
    "another text": told(token("B fit: 9\nA fit: 1")),
    "half of the text": told(*PLAIN["content"][:3]),
    "no probability at all": with_place(logprob=None, top_logprobs=None),
    "probabilities in words": with_place(logprob="likely", top_logprobs=[{"token": "7", "logprob": "high"}]),
    "true": with_place(logprob=True, top_logprobs=[{"token": "7", "logprob": True}]),
    "no number": with_place(logprob=nan, top_logprobs=[{"token": "7", "logprob": nan}]),
    "infinite": with_place(logprob=inf, top_logprobs=[{"token": "9", "logprob": inf}]),
    "minus infinite": with_place(logprob=-inf, top_logprobs=[{"token": "9", "logprob": -inf}]),
    "above one": with_place(logprob=5.0, top_logprobs=[{"token": "9", "logprob": 700}]),
    "more than 1 in sum": with_place(logprob=0, top_logprobs=[{"token": d, "logprob": 0} for d in "123456789"]),
    "1 for what is written, and others": with_place(logprob=0.0, top_logprobs=[{"token": "1", "logprob": -1}]),
    "all impossible": with_place(
        logprob=-9999.0, top_logprobs=[{"token": d, "logprob": -9999.0} for d in "123456789"]
    ),
    "a whole number that no float holds": with_place(logprob=10**400, top_logprobs=[]),
}


@pytest.mark.parametrize("logprobs", UNSOUND.values(), ids=UNSOUND)
def test_what_cannot_be_read_leaves_the_answer_as_it_was_written(logprobs: Any) -> None:
    assert expected_scores(logprobs, ANSWER, FORM.rows) == ()


@pytest.mark.parametrize(
    "alternatives",
    [
        7,
        "7",
        [7],
        [None],
        [{}],
        [{"token": ["9"], "logprob": 0}],
        [{"token": "9", "logprob": {}}],
        [{"token": "9", "logprob": -(10**400)}],
        [{"token": "x" * 1_000_000, "logprob": 0}],
    ],
)
def test_unreadable_alternatives_leave_the_token_itself(alternatives: Any) -> None:
    assert expected_scores(with_place(top_logprobs=alternatives), ANSWER, FORM.rows) == (7.0, 5.0)


def test_one_alternative_told_often_counts_once_and_a_huge_list_is_not_read_to_its_end() -> None:
    row = {"token": "9", "logprob": log(0.9)}
    mean = expected_scores(with_place(logprob=log(0.1), top_logprobs=[row] * 200_000), ANSWER, FORM.rows)
    assert mean == (8.8, 5.0)


def test_a_digit_so_unlikely_that_it_has_no_probability_counts_as_written() -> None:
    assert expected_scores(with_place(logprob=-9999.0, top_logprobs=[]), ANSWER, FORM.rows) == (7.0, 5.0)


@pytest.mark.parametrize("many", [10, 100_000])
def test_tokens_without_end_before_the_answer_are_not_read(many: int) -> None:
    assert expected_scores(told(*[token("A fit: 1\n")] * many, *PLAIN["content"]), ANSWER, FORM.rows)[1] == 5.0


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["7", " 7", ANSWER, JSON, "A fit: "]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["content", "token", "logprob", "top_logprobs"]), inner)
    ),
    max_leaves=20,
)


@given(logprobs=anything, answer=st.sampled_from([ANSWER, JSON, "", "A fit: 7"]))
def test_nothing_raises_and_every_mean_is_a_score(logprobs: Any, answer: str) -> None:
    means = expected_scores(logprobs, answer, FORM.rows)
    assert len(means) in (0, 2)
    assert all(1 <= mean <= 9 for mean in means)
    json.dumps(means, allow_nan=False)
