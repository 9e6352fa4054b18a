"""Every form in which an engine answers leads to the answer, or to a sentence that says why there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from domain.chat import ChatAnswer, ChatFailure
from tests.support.answer_failures import FAILURES
from tests.support.answer_forms import DIGITS, PLAN, SCORES, THOUGHT, THOUGHTS, WRAPPINGS, AnswerForm, said
from tests.support.foreign_engine import ask, http_answer, model_at
from tests.support.raw_server import RawServer
from workers.portal import Portal

FORMS = [*THOUGHTS, *WRAPPINGS, *FAILURES]


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


def answered(portal: Portal, form: AnswerForm) -> ChatAnswer | ChatFailure:
    with RawServer([http_answer(form.body, status=form.status)]) as server:
        model = model_at(portal, f"http://{server.address}/v1", guidance=form.guidance)
        return ask(model, form=form.form, timeout_s=5.0)


@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_every_form_of_answer_is_read(portal: Portal, form: AnswerForm) -> None:
    outcome = answered(portal, form)
    if isinstance(form.expected, str):
        assert isinstance(outcome, ChatAnswer), outcome
        assert outcome.text == form.expected
        assert outcome.model == "m"
    else:
        reason, words = form.expected
        assert isinstance(outcome, ChatFailure), outcome
        assert (outcome.reason, outcome.engine) == (reason, "e")
        assert words in outcome.detail
    assert THOUGHT not in outcome.model_dump_json()


def test_the_table_names_a_source_for_each_of_its_forms() -> None:
    assert len(FORMS) >= 40
    assert len({form.name for form in FORMS}) == len(FORMS)
    assert all(form.source for form in FORMS)
    assert {form.expected for form in FORMS if isinstance(form.expected, str)} > {PLAN, DIGITS}


def test_a_fence_round_a_megabyte_of_blanks_stops_no_process(portal: Portal) -> None:
    """Where time grew with the square of the length, this took a quarter of an hour."""
    fenced = said(f"```\n{DIGITS}{' ' * 1_000_000}\n```")
    form = AnswerForm("", "", json.dumps(fenced).encode(), DIGITS, form=SCORES)
    outcome = answered(portal, form)
    assert isinstance(outcome, ChatAnswer)
    assert outcome.text == DIGITS


HUGE = int("9" * 400)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 40, "completion_tokens": 12}, (40, 0, 12)),
        (
            {"prompt_tokens": 40, "completion_tokens": 16, "prompt_tokens_details": {"cached_tokens": 32}},
            (40, 32, 16),
        ),
        ({"prompt_tokens": 40, "completion_tokens": 17}, (40, 0, 0)),
        ({"prompt_tokens": 40, "prompt_tokens_details": {"cached_tokens": 41}}, (40, 0, 0)),
        ({"prompt_tokens": 1_000_000, "completion_tokens": 3}, (0, 0, 3)),
        ({"prompt_tokens": 2**63, "completion_tokens": 2**63 - 1}, (0, 0, 0)),
        ({"prompt_tokens": HUGE, "completion_tokens": -HUGE}, (0, 0, 0)),
        ({"prompt_tokens": -1, "completion_tokens": 3.5}, (0, 0, 0)),
        ({"prompt_tokens": True, "completion_tokens": "12"}, (0, 0, 0)),
        ([1, 2, 3], (0, 0, 0)),
    ],
)
def test_a_number_that_cannot_be_true_is_unknown(portal: Portal, usage: Any, expected: tuple[int, ...]) -> None:
    form = AnswerForm("usage", "", json.dumps(said(PLAN, usage=usage)).encode(), PLAN)
    outcome = answered(portal, form)
    assert isinstance(outcome, ChatAnswer)
    assert (outcome.prompt_tokens, outcome.cached_tokens, outcome.completion_tokens) == expected


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "1e400", "9" * 100_000], ids=["nan", "inf", "1e400", "digits"]
)
def test_a_number_that_is_none_ends_no_process(portal: Portal, number: str) -> None:
    body = json.dumps(said(PLAN, usage={"completion_tokens": "?"})).replace('"?"', number).encode()
    outcome = answered(portal, AnswerForm("usage", "", body, PLAN))
    if isinstance(outcome, ChatAnswer):
        assert outcome.completion_tokens == 0


def test_tokens_of_thoughts_are_told_apart(portal: Portal) -> None:
    told = {"completion_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 9}}
    outcome = answered(portal, AnswerForm("", "", json.dumps(said("yes", usage=told)).encode(), ""))
    assert isinstance(outcome, ChatAnswer)
    assert (outcome.completion_tokens, outcome.reasoning_tokens) == (12, 9)


def test_tokens_of_thoughts_are_estimated_by_their_length_where_the_engine_does_not_tell(portal: Portal) -> None:
    body = said("abcd", usage={"completion_tokens": 12}, reasoning_content="thoughts")
    outcome = answered(portal, AnswerForm("", "", json.dumps(body).encode(), ""))
    assert isinstance(outcome, ChatAnswer)
    assert (outcome.completion_tokens, outcome.reasoning_tokens) == (12, 8)
