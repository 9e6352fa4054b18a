"""A ballot asked for proposal by proposal: what its calls share, and what their answers make together."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ChatOutcome, FailureReason
from domain.council import Agent
from domain.entry import BallotCast
from domain.prompts.ballot_question import BallotQuestion, ballot_questions
from domain.prompts.material import Material
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.rubric import DEFAULT_RUBRIC
from tests.support.scripted_model import answer, failure

AGENTS = tuple(Agent(agent_id=f"dev-{n}", model="m", persona=f"You are number {n}.") for n in range(4))
TIMEOUT = FailureReason.TIMEOUT


def ask(form: str = "pointwise", reviewers: Sequence[Agent] = AGENTS) -> tuple[BallotQuestion, ...]:
    candidates = [
        Candidate(proposal_id=f"p{n}", author=f"dev-{n}", text=f"I do it in {n} steps.", model="m")
        for n in range(4)
    ]
    material = Material(task="# Task", rubric=DEFAULT_RUBRIC, candidates=candidates, seed="d/0")
    presentation = present(material.candidates, seed="d/0", orders=4)
    return ballot_questions(material, reviewers, presentation, pass_=0, timeout_s=9.0, form=form)  # type: ignore[arg-type]


def filled(question: BallotQuestion, digits: str, **changes: object) -> ChatOutcome:
    """Answer the call with these digits."""
    lines = zip(question.form.lines, digits, strict=True)
    return answer(question.request, "\n".join(f"{name}: {digit}" for name, digit in lines), **changes)


def joined(questions: Sequence[BallotQuestion], outcomes: Sequence[ChatOutcome]) -> BallotCast:
    pairs = zip(questions, outcomes, strict=True)
    return BallotCast.of_parts(
        [question.entry(outcome, at=float(n)) for n, (question, outcome) in enumerate(pairs)]
    )


def test_the_calls_of_a_reviewer_share_every_byte_but_the_last_line() -> None:
    for agent in AGENTS:
        questions = [question for question in ask() if question.agent == agent]
        prompts = [question.request.messages[-1].content for question in questions]
        assert len(set(prompts)) == len(prompts) == 3
        assert len({prompt.rsplit("\n", 1)[0] for prompt in prompts}) == 1
        assert len({question.request.messages[0] for question in questions}) == 1


def test_they_show_the_proposals_of_a_listwise_ballot_and_the_rules_of_one() -> None:
    sheets = [
        {q.request.messages[-1].content.split("Score ")[0] for q in ask(form)}
        for form in ("pointwise", "listwise")
    ]
    assert sheets[0] == sheets[1]


def test_each_is_about_one_proposal_and_together_they_are_about_all_but_the_own() -> None:
    for agent, listwise in zip(AGENTS, ask("listwise"), strict=True):
        questions = [question for question in ask() if question.agent == agent]
        assert [len(question.scored) for question in questions] == [1, 1, 1]
        assert tuple(proposal for question in questions for proposal in question.scored) == listwise.scored
        assert {question.form.lines for question in questions} == {("fit", "feasibility", "clarity")}
        ends = [question.request.messages[-1].content.rsplit("Score PROPOSAL ", 1)[1] for question in questions]
        assert [f"{end[0]} fit" for end in ends] == list(listwise.form.lines[::3])


def test_a_ballot_has_one_key_and_each_of_its_calls_one_of_its_own() -> None:
    questions = ask()
    assert {question.key for question in questions} == {question.key for question in ask("listwise")}
    assert len({question.request.key for question in questions}) == len(questions) == 12


@given(order=st.permutations(range(3)), digits=st.lists(st.sampled_from("123456789"), min_size=9, max_size=9))
def test_joined_in_any_order_they_are_the_ballot_that_one_call_gives(order: list[int], digits: list[str]) -> None:
    written, questions = "".join(digits), ask(reviewers=AGENTS[:1])
    (listwise,) = ask("listwise", AGENTS[:1])
    parts = [
        question.entry(filled(question, written[3 * n : 3 * n + 3], expected=(4.5 + n,) * 3), at=1.0)
        for n, question in enumerate(questions)
    ]
    whole = listwise.entry(filled(listwise, written, expected=(4.5,) * 3 + (5.5,) * 3 + (6.5,) * 3), at=1.0)

    ballot = BallotCast.of_parts([parts[place] for place in order])

    assert (ballot.form, whole.form, ballot.calls, whole.calls) == ("pointwise", "lines", 3, 1)
    assert list(ballot.scores.items()) == list(whole.scores.items())
    assert list(ballot.reading.items()) == list(whole.expected.items())
    assert (ballot.key, ballot.order, ballot.missing, ballot.gaps) == (whole.key, whole.order, None, {})


def test_tokens_are_summed_and_the_longest_call_is_the_ballots_time() -> None:
    questions = ask(reviewers=AGENTS[:1])
    times = (5.0, 40.0, 7.0)
    outcomes = [
        filled(
            question,
            "555",
            prompt_tokens=100,
            cached_tokens=90,
            completion_tokens=12,
            duration_ms=time,
            engine=name,
        )
        for question, time, name in zip(questions, times, ("b", "a", "b"), strict=True)
    ]
    ballot = joined(questions, outcomes)
    assert (ballot.usage.prompt_tokens, ballot.usage.cached_tokens, ballot.usage.completion_tokens) == (
        300,
        270,
        36,
    )
    assert (ballot.duration_ms, ballot.engine, ballot.at) == (40.0, "a, b", 2.0)


def test_a_call_that_failed_leaves_a_gap_and_says_why() -> None:
    questions = ask(reviewers=AGENTS[:1])
    first, second, third = (question.scored[0] for question in questions)
    ballot = joined(
        questions,
        [filled(questions[0], "987"), failure(questions[1].request, TIMEOUT), filled(questions[2], "321")],
    )
    assert list(ballot.scores) == [first, third]
    assert (ballot.missing, ballot.gaps, ballot.calls) == (None, {second: TIMEOUT}, 3)
    assert ballot.detail == "scripted timeout"


def test_a_ballot_is_missing_where_no_call_gave_a_score() -> None:
    questions = ask(reviewers=AGENTS[:1])
    outcomes: list[ChatOutcome] = [
        failure(questions[0].request, TIMEOUT),
        *(answer(one.request, "?") for one in questions[1:]),
    ]
    ballot = joined(questions, outcomes)
    assert (ballot.missing, ballot.scores) == (TIMEOUT, {})
    assert list(ballot.gaps.values()) == [TIMEOUT, FailureReason.MALFORMED, FailureReason.MALFORMED]


def test_where_one_call_told_no_probabilities_the_ballot_counts_as_written() -> None:
    questions = ask(reviewers=AGENTS[:1])
    told = [filled(question, "777", expected=(6.4,) * 3) for question in questions[:2]]
    ballot = joined(questions, [*told, filled(questions[2], "777")])
    assert ballot.expected == {}
    assert ballot.reading == ballot.scores
