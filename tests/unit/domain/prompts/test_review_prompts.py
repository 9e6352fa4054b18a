"""Reviewers share every byte but the last line, see all proposals and no names, and never score their own."""

from __future__ import annotations

from typing import Any

import pytest

from domain.chat import FailureReason
from domain.council import Agent
from domain.prompts.ballot_question import BallotQuestion, ballot_questions
from domain.prompts.material import MAX_CANDIDATES, Material, label
from domain.prompts.model_question import score_form
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.rubric import DEFAULT_RUBRIC
from tests.support.scripted_model import answer, failure

TASK = "# Task for the DEV council\n\nAdd a reset link.\n\n## Acceptance criteria\n- it expires"


def author(number: int, **facts: Any) -> Agent:
    return Agent(agent_id=f"dev-{number}", model="m", **facts)


def material(count: int = 4, **changes: object) -> Material:
    candidates = [
        Candidate(proposal_id=f"p{n}", author=f"dev-{n}", text=f"As dev-{n}, I do it in {n} steps.", model="m-7b")
        for n in range(count)
    ]
    facts = {"task": TASK, "rubric": DEFAULT_RUBRIC, "candidates": candidates, "seed": "d-1/0", **changes}
    return Material(**facts)  # type: ignore[arg-type]


def ask(count: int = 4, *, orders: int = 1, pass_: int = 0, **facts: object) -> tuple[BallotQuestion, ...]:
    about = material(count)
    judges = [Agent(agent_id="judge-1", model="m"), Agent(agent_id="judge-2", model="m")]
    reviewers = [*(author(number) for number in range(count)), *judges]
    presentation = present(about.candidates, seed=about.seed, orders=orders)
    return ballot_questions(about, reviewers, presentation, pass_=pass_, timeout_s=30.0, form="listwise", **facts)  # type: ignore[arg-type]


def fill(question: BallotQuestion, digits: str) -> str:
    return "\n".join(f"{name}: {digit}" for name, digit in zip(question.form.lines, digits, strict=False))


def prompt(question: BallotQuestion) -> str:
    return question.request.messages[-1].content


def shared_part(question: BallotQuestion) -> tuple[str, str]:
    return question.request.messages[0].content, prompt(question).rsplit("\n", 1)[0]


def test_with_one_order_all_reviewers_share_every_byte_but_the_last_line() -> None:
    questions = ask()

    assert len(questions) == 6
    assert len({shared_part(question) for question in questions}) == 1
    assert len({prompt(question) for question in questions}) == 5


def test_with_an_order_each_only_reviewers_of_one_order_share_it() -> None:
    questions = ask(orders=4)

    orders = {question.shown_order.items for question in questions}
    assert len({shared_part(question) for question in questions}) == len(orders) == 4


def test_judges_are_dealt_to_different_orders() -> None:
    first, second = ask(orders=4)[-2:]

    assert first.shown_order.items != second.shown_order.items


def test_the_task_comes_first_as_it_is_and_the_labels_last() -> None:
    question = ask()[0]

    assert prompt(question).startswith(f"{TASK}\n\n")
    assert prompt(question).rsplit("\n", 1)[1].startswith("Labels to score, in this order: ")


def test_every_reviewer_scores_all_but_its_own() -> None:
    for question in ask():
        own = [proposal_id for proposal_id in question.shown_order.items if proposal_id not in question.scored]
        assert own == ([f"p{question.agent.agent_id[-1]}"] if question.agent.agent_id.startswith("dev") else [])
        named = prompt(question).rsplit(": ", 1)[1].split(", ")
        assert [question.shown_order.items["ABCD".index(letter)] for letter in named] == list(question.scored)


def test_all_proposals_are_shown_without_a_name_in_the_order_recorded() -> None:
    for question in ask(pass_=1):
        text = prompt(question)
        places = [text.index(f"in {proposal_id[1]} steps") for proposal_id in question.shown_order.items]
        assert places == sorted(places)
        assert "dev-" not in text
        assert "m-7b" not in text


def test_an_answer_becomes_scores_by_proposal() -> None:
    question = ask(3)[-1]

    first, second, third = question.shown_order.items
    text = fill(question, "987555123")
    assert text.startswith("A fit: 9\nA feasibility: 8\nA clarity: 7\nB fit: 5\n")
    assert question.scores(f"{text}\n") == {
        first: {"fit": 9, "feasibility": 8, "clarity": 7},
        second: {"fit": 5, "feasibility": 5, "clarity": 5},
        third: {"fit": 1, "feasibility": 2, "clarity": 3},
    }
    assert question.scores(fill(question, "987555")) is None


def test_a_ballot_keeps_what_was_written_and_what_was_expected() -> None:
    question = ask(3)[-1]
    means = (8.5, 8.0, 7.0, 5.0, 5.0, 5.5, 1.2, 2.0, 3.0)
    text = fill(question, "987555123")

    ballot = question.entry(answer(question.request, text, expected=means), at=1.0)
    plain = question.entry(answer(question.request, text), at=1.0)
    short = question.entry(answer(question.request, text, expected=means[:-1]), at=1.0)

    assert (ballot.form, ballot.scores) == ("lines", question.scores(text))
    assert ballot.expected[question.shown_order.items[2]] == {"fit": 1.2, "feasibility": 2.0, "clarity": 3.0}
    assert ballot.reading == ballot.expected
    assert (plain.expected, short.expected) == ({}, {})
    assert plain.reading == plain.scores == ballot.scores


def test_an_answer_off_form_has_no_expected_scores() -> None:
    question = ask(3)[-1]

    ballot = question.entry(answer(question.request, "?", expected=(5.0,) * 9), at=1.0)

    assert (ballot.missing, ballot.expected, ballot.scores) == (FailureReason.MALFORMED, {}, {})


def test_an_answer_off_form_is_asked_for_once_more_with_the_same_prefix() -> None:
    first = ask()[0]
    off_form = answer(first.request, "A is best")
    second = first.retry(off_form)

    assert second is not None
    assert prompt(second).startswith(prompt(first))
    assert second.form.shape in prompt(second)
    assert second.key == second.request.key == first.key
    assert second.scores(fill(second, "111222333")) == first.scores(fill(first, "111222333"))
    assert second.retry(off_form) is None


def test_an_answer_on_form_and_a_failed_call_are_recorded_at_once() -> None:
    question = ask()[0]

    assert question.retry(answer(question.request, fill(question, "111222333"))) is None
    assert question.retry(failure(question.request, FailureReason.TIMEOUT)) is None


def test_a_seed_moves_on_when_asked_again() -> None:
    about = material(2)
    presentation = present(about.candidates, seed=1)
    (question,) = ballot_questions(
        about, [author(0, seed=7)], presentation, pass_=0, timeout_s=1.0, form="listwise"
    )

    retry = question.retry(answer(question.request, "?"))

    assert retry is not None
    assert (question.request.seed, retry.request.seed) == (7, 8)


def test_request_and_form_are_bounded_and_keys_differ() -> None:
    questions = ask(16)

    assert len({question.request.key for question in questions}) == 18
    for question in questions:
        assert question.request.form is not None
        assert len(question.request.form.lines) == 3 * len(question.scored)
        assert question.request.max_tokens <= 20 * len(question.request.form.lines)


def test_an_author_scores_none_of_its_versions_and_one_with_nothing_to_score_is_not_asked() -> None:
    versions = [
        Candidate(proposal_id="old", author="dev-0", text="old"),
        Candidate(proposal_id="new", author="dev-0", text="new"),
        Candidate(proposal_id="prior", text="of an earlier decision"),
    ]
    about, alone = material(candidates=versions), material(candidates=versions[:2])

    (question,) = ballot_questions(
        about, [author(0)], present(about.candidates, seed=1), pass_=0, timeout_s=1.0, form="listwise"
    )

    assert question.scored == ("prior",)
    assert (
        ballot_questions(
            alone, [author(0)], present(alone.candidates, seed=1), pass_=0, timeout_s=1.0, form="listwise"
        )
        == ()
    )


def test_personas_are_told_in_the_last_line_behind_what_reviewers_share() -> None:
    about = material(2)
    reviewers = [author(0, persona="Cautious.\nCounts costs."), author(1, persona="Bold.")]
    presentation = present(about.candidates, seed=1, orders=1)

    questions = ballot_questions(about, reviewers, presentation, pass_=0, timeout_s=1.0, form="listwise")

    assert len({shared_part(question) for question in questions}) == 1
    assert (
        prompt(questions[0]).rsplit("\n", 1)[1].startswith("Your way of thinking: Cautious. Counts costs. Labels")
    )


def test_anchors_say_what_digits_mean() -> None:
    for number in (3, 5, 7, 9):
        assert f"{number}: " in prompt(ask()[0]).rsplit("# Your ballot", 1)[1]


@pytest.mark.parametrize(
    ("criteria", "lines"),
    [
        (("fit",), ("A",)),
        (("fit", "ease of use"), ("A fit", "A ease of use")),
        (("fit", "x: 9\nB"), ("A criterion 1", "A criterion 2")),
        (("Güte", "fit"), ("A criterion 1", "A criterion 2")),
        (("x" * 40 + "a", "x" * 40 + "b"), ("A criterion 1", "A criterion 2")),
    ],
)
def test_a_criterion_whose_name_no_form_can_hold_is_numbered(
    criteria: tuple[str, ...], lines: tuple[str, ...]
) -> None:
    assert score_form(["A"], criteria).lines == lines


def test_the_same_arguments_give_the_same_bytes_and_passes_have_marks_of_their_own() -> None:
    assert ask(orders=2) == ask(orders=2)
    assert material().mark("ballots/0") != material().mark("ballots/1")
    assert material().mark("ballots/0") != material(seed="d-1/1").mark("ballots/0")


def test_names_of_agents_that_wrote_nothing_are_taken_off_too() -> None:
    written = [Candidate(proposal_id="p", author="dev-0", text="Unlike dev-9, I test; so does vicuna-13b.")]

    about = material(candidates=written, agents=["dev-9"], models=["vicuna-13b"])

    assert about.blinded["p"] == "Unlike [agent], I test; so does [model]."


def test_labels_go_on_after_z() -> None:
    assert [label(place) for place in (0, 25, 26, 32)] == ["A", "Z", "AA", "AG"]


def test_doubled_ids_none_or_too_many_candidates_are_refused() -> None:
    candidate = Candidate(proposal_id="p", text="x")
    many = [candidate.model_copy(update={"proposal_id": f"p{n}"}) for n in range(MAX_CANDIDATES + 1)]
    for candidates in ([candidate, candidate], [], many):
        with pytest.raises(ValueError, match=r"proposal ids|candidates"):
            material(candidates=candidates)
