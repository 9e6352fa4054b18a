"""The plan's acceptance criteria as yes or no behind the scores, in one call or in one for each proposal."""

from __future__ import annotations

import pytest

from domain.checklist import LONGEST_CRITERION, MOST_CRITERIA, asked_about, checklists_of, share_met
from domain.council import Agent
from domain.deliberation import BallotForm
from domain.entry import BallotCast
from domain.prompts.ballot_question import BallotQuestion, ballot_questions
from domain.prompts.material import MAX_CANDIDATES, Material
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.rubric import DEFAULT_RUBRIC, Criterion, Rubric
from tests.support.factories import ballot
from tests.support.scripted_model import answer

STATED = ("It expires.", "It works once.")
JUDGE = Agent(agent_id="judge", model="m")


def ask(
    form: BallotForm = "listwise",
    *,
    count: int = 3,
    rubric: Rubric = DEFAULT_RUBRIC,
    stated: tuple[str, ...] = STATED,
) -> tuple[BallotQuestion, ...]:
    candidates = [Candidate(proposal_id=f"p{n}", author=f"dev-{n}", text=f"In {n} steps.") for n in range(count)]
    material = Material(task="# Task", rubric=rubric, candidates=candidates, seed="d/0")
    presentation = present(material.candidates, seed="d/0", orders=1)
    return ballot_questions(
        material, [JUDGE], presentation, pass_=0, timeout_s=9.0, form=form, checklist=asked_about(stated)
    )


def filled(question: BallotQuestion, digits: str, words: str) -> str:
    """Return an answer; `y` and `n` stand for yes and no."""
    lines = zip(question.form.lines, digits, strict=True)
    checks = zip(question.form.checks, words, strict=True)
    told = {"y": "yes", "n": "no"}
    return "\n".join([*(f"{a}: {b}" for a, b in lines), *(f"{a}: {told[b]}" for a, b in checks)])


def test_a_ballot_keeps_scores_as_before_and_the_checklist_beside() -> None:
    (question,) = ask()
    first, second, third = question.scored
    means = (*(5.5,) * 9, 0.9, 0.2, 0.6, 0.4, 0.1, 0.05)

    cast = question.entry(
        answer(question.request, filled(question, "987555123", "ynynnn"), expected=means), at=1.0
    )
    plain = question.entry(answer(question.request, filled(question, "987555123", "ynynnn")), at=1.0)

    assert cast.scores == plain.scores == question.scores(filled(question, "987555123", "yyyyyy"))
    assert set(cast.expected) == {first, second, third}
    assert cast.met == plain.met == {first: (True, False), second: (True, False), third: (False, False)}
    assert cast.checklist == cast.p_met == {first: (0.9, 0.2), second: (0.6, 0.4), third: (0.1, 0.05)}
    assert (plain.p_met, plain.checklist) == ({}, plain.met)


def test_pointwise_calls_join_to_the_same_checklist() -> None:
    (listwise,) = ask()
    questions = ask("pointwise")
    whole = listwise.entry(answer(listwise.request, filled(listwise, "987555123", "ynynnn")), at=1.0)
    parts = [
        question.entry(answer(question.request, filled(question, digits, words)), at=1.0)
        for question, digits, words in zip(questions, ("987", "555", "123"), ("yn", "yn", "nn"), strict=True)
    ]
    joined = BallotCast.of_parts(parts[::-1])
    assert questions[0].form.checks == ("meets 1", "meets 2")
    assert list(joined.met.values()) == list(whole.met.values())
    assert list(joined.scores.values()) == list(whole.scores.values())
    assert joined.calls == 3


@pytest.mark.parametrize("form", ["listwise", "pointwise"])
def test_the_prompt_names_the_criteria_by_number_only_where_they_are_asked_about(form: BallotForm) -> None:
    with_it, without = (ask(form, stated=stated)[0].request for stated in (STATED, ()))
    assert "1. It expires.\n2. It works once.\n" in with_it.messages[-1].content
    assert "meets" not in without.messages[-1].content
    assert without.form is not None
    assert without.form.checks == ()


def test_an_answer_without_the_checklist_is_asked_for_once_more() -> None:
    (question,) = ask()
    scores_alone = "\n".join(f"{name}: 5" for name in question.form.lines)
    again = question.retry(answer(question.request, scores_alone))
    assert again is not None
    assert f"and yes or no for each y, nothing else:\n{question.form.shape}" in again.request.messages[-1].content


def test_a_criterion_of_the_rubric_can_not_be_taken_for_a_check() -> None:
    rubric = Rubric(criteria=(Criterion(name="meets 1"), Criterion(name="cost")))
    (question,) = ask("pointwise", count=1, rubric=rubric)
    assert question.form.lines == ("criterion 1", "criterion 2")


def test_the_largest_review_is_a_form_that_engines_take() -> None:
    stated = tuple(f"Criterion {number}. " + "x" * 1000 for number in range(100))
    (question,) = ask(count=MAX_CANDIDATES, stated=stated)
    assert len(question.form.checks) == MOST_CRITERIA * MAX_CANDIDATES
    assert max(map(len, asked_about(stated))) == LONGEST_CRITERION


def test_a_voice_counts_once_however_many_copies_answered() -> None:
    def answered(agent: str, **met: tuple[bool, ...]) -> BallotCast:
        return ballot(agent, on=tuple(met)).model_copy(update={"met": met})

    ballots = [
        answered("a", p=(True, False), q=(True, True)),
        answered("copy of a", p=(True, False)),
        answered("b", p=(False, False)),
    ]
    told = checklists_of(ballots, {"a": "voice", "copy of a": "voice", "b": "b"})
    assert told == {"p": (0.5, 0.0), "q": (1.0, 1.0)}
    assert [share_met(told[proposal]) for proposal in ("p", "q")] == [0.0, 1.0]
    assert share_met(()) is None
