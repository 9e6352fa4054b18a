"""Comparisons are asked behind the reviewer's own ballot, both ways round, and as probabilities where told."""

from __future__ import annotations

import pytest

from domain.chat import ChatFailure, FailureReason
from domain.council import Agent
from domain.prompts.ballot_question import ballot_questions
from domain.prompts.comparison_questions import ComparisonQuestion, Look, comparison_questions
from domain.prompts.material import Material
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.rubric import DEFAULT_RUBRIC
from tests.support.scripted_model import answer

JUDGE = Agent(agent_id="chief", model="big", persona="Careful.")


def material() -> Material:
    candidates = [
        Candidate(proposal_id=f"p{n}", author=f"dev-{n}", text=f"As dev-{n}, I take route {n}.") for n in range(4)
    ]
    return Material(task="# Task\nDo it.", rubric=DEFAULT_RUBRIC, candidates=candidates, seed="d-1/0", round_=2)


def questions() -> tuple[ComparisonQuestion, ...]:
    look = Look(reviewer=JUDGE, order=("p2", "p0", "p3", "p1"), pairs=[("p0", "p3"), ("p1", "p2")])
    return comparison_questions(material(), [look], timeout_s=9.0)


def test_every_pair_is_asked_both_ways_round_under_a_key_of_its_own() -> None:
    keys = [question.key for question in questions()]
    pairs = ("p0/p3", "p3/p0", "p1/p2", "p2/p1")
    assert keys == [f"comparison/2/chief/{pair}" for pair in pairs]


def test_the_two_are_named_by_their_places_on_the_reviewers_sheet() -> None:
    ends = [question.request.messages[-1].content.rsplit("\n", 1)[1] for question in questions()]
    assert ends[:2] == [
        "Your way of thinking: Careful. 1: PROPOSAL B. 2: PROPOSAL C.",
        "Your way of thinking: Careful. 1: PROPOSAL C. 2: PROPOSAL B.",
    ]


def test_the_prompt_begins_as_the_reviewers_ballot_to_the_end_of_the_sheet() -> None:
    presentation = present([f"p{n}" for n in range(4)], seed="s", passes=1, orders=4)
    (ballot,) = ballot_questions(material(), [JUDGE], presentation, pass_=0, timeout_s=9.0, form="listwise")
    look = Look(reviewer=JUDGE, order=ballot.shown_order.items, pairs=[("p0", "p3")])
    for question in comparison_questions(material(), [look], timeout_s=9.0):
        system, user = question.request.messages
        assert system == ballot.request.messages[0]
        sheet = user.content.partition("# Your comparison")[0]
        assert sheet.endswith("===\n\n")
        assert ballot.request.messages[1].content.startswith(sheet)


@pytest.mark.parametrize(
    ("text", "expected", "choice", "p_first"),
    [("better: 1", (), "p0", None), ("better: 2", (), "p3", None), ("better: 2", (1.6,), "p3", 0.4)],
)
def test_an_answer_is_kept_as_written_and_as_the_probability_of_the_first(
    text: str, expected: tuple[float, ...], choice: str, p_first: float | None
) -> None:
    question = questions()[0]
    entry = question.entry(answer(question.request, text, expected=expected), at=1.0)
    assert (entry.choice, entry.p_first, entry.missing) == (choice, p_first, None)
    assert entry.reading == (p_first if p_first is not None else float(choice == "p0"))
    assert entry.key == question.key


@pytest.mark.parametrize("text", ["better: 3", "1", "better: B", "better: 1\nbetter: 2"])
def test_an_answer_off_form_is_missing_and_asked_no_second_time(text: str) -> None:
    question = questions()[0]
    outcome = answer(question.request, text)
    assert question.retry(outcome) is None
    entry = question.entry(outcome, at=1.0)
    assert (entry.missing, entry.choice, entry.reading) == (FailureReason.MALFORMED, None, None)


def test_a_failed_call_is_missing_with_its_reason() -> None:
    question = questions()[0]
    entry = question.entry(ChatFailure(key=question.key, reason=FailureReason.TIMEOUT, detail="no answer"), at=1.0)
    assert (entry.missing, entry.detail, entry.reading) == (FailureReason.TIMEOUT, "no answer", None)
