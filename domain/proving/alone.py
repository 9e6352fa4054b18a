"""One agent alone with a whole council's tokens: it samples as often as they allow and votes on its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, Usage, usage_of
from domain.council import Agent
from domain.deliberation import BallotForm, Deliberation
from domain.entry import BallotCast
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.ports.clock import Clock
from domain.prompts.ballot_question import BallotQuestion, ballot_questions
from domain.prompts.material import Material, task_text
from domain.prompts.parts import Parts
from domain.prompts.proposal_question import proposal_question
from domain.proving.tokens import total
from domain.ranking import Ballot, rank
from domain.record import Record
from domain.review.candidate import Candidate
from domain.review.presentation import present

MOST_SAMPLES = 16
"""As many as a council has agents at most: a ballot on more gets longer than small models read."""
PASSES = 2
"""Ballots on an order and on its reverse, as a council's reviewers cast them."""


class NoSample(Exception):
    """The agent gave no answer; the message says why."""


@dataclass(frozen=True)
class AnswerAlone:
    """What the agent answers, and what that took."""

    best: tuple[str, ...]
    """The samples that its ballots put first; all of them where it cast none."""
    samples: int
    tokens: int
    """Prompts and answers of samples and ballots."""
    seconds: float


def answer_alone(record: Record, *, model: ChatModel, clock: Clock, policy: Policy) -> AnswerAlone:
    """Have the first agent of a closed deliberation do its task again, with the tokens that the council took.

    The first sample says what one costs; the rest follow at once, then the ballots at once. Raises NoSample
    where the first does not come.
    """
    deliberation = record.deliberation
    began = clock.now()
    (first,) = _sample(deliberation, [1], model, policy)
    if isinstance(first, ChatFailure):
        raise NoSample(first.detail or first.reason)
    more = range(2, samples_for(record, usage_of(first)) + 1)
    answers = [first, *(one for one in _sample(deliberation, more, model, policy) if isinstance(one, ChatAnswer))]
    ballots = _vote(deliberation, answers, model, clock) if len(answers) > 1 else []
    usage = sum([*map(usage_of, answers), *(ballot.usage for ballot in ballots)], Usage())
    return AnswerAlone(
        best=_best(deliberation, answers, ballots),
        samples=len(answers),
        tokens=total(usage),
        seconds=clock.now() - began,
    )


def samples_for(record: Record, sample: Usage) -> int:
    """Return how many samples like this one, with the ballots that read them all, the council's tokens pay for.

    From 1 to 16. A ballot's call costs what the council's did, but for the number of answers that it reads.
    """
    prompt, answer = sample.prompt_tokens, sample.completion_tokens
    ballots = [ballot for ballot in record.ballots() if ballot.missing is None]
    spent, calls = sum(total(ballot.usage) for ballot in ballots), sum(ballot.calls for ballot in ballots)
    pointwise = record.deliberation.review.ballot_form == "pointwise"
    read = 1 if pointwise else len(record.proposals(0))
    sheet = max(prompt, spent // calls - read * answer) if calls else prompt

    def cost(samples: int) -> int:
        calls, read = (samples, 1) if pointwise else (PASSES, samples)
        return samples * (prompt + answer) + calls * (sheet + read * answer)

    affordable = (samples for samples in range(1, MOST_SAMPLES + 1) if cost(samples) <= total(record.usage))
    return max(affordable, default=1)


def _sample(
    deliberation: Deliberation, numbers: Sequence[int], model: ChatModel, policy: Policy
) -> list[ChatOutcome]:
    """Return what came, by number; each number has a seed of its own where the agent has one."""
    agent = deliberation.agents[0]
    requests = []
    for number in numbers:
        seed = None if agent.seed is None else agent.seed + 1000 * number
        sampled = agent.model_copy(update={"seed": seed})
        asked = proposal_question(deliberation, sampled, policy, timeout_s=deliberation.call_timeout_s)
        requests.append(asked.request.model_copy(update={"key": f"sample/{number:02}"}))
    outcomes = model.ask(requests) if requests else iter(())
    return sorted(outcomes, key=lambda outcome: outcome.key)


def _vote(
    deliberation: Deliberation, answers: Sequence[ChatAnswer], model: ChatModel, clock: Clock
) -> list[BallotCast]:
    reviewer = deliberation.agents[0].model_copy(update={"agent_id": "single-agent"})
    material = Material(
        task=task_text(deliberation),
        rubric=deliberation.rubric,
        candidates=[
            Candidate(proposal_id=answer.key, author=f"single-{answer.key}", text=answer.text)
            for answer in answers
        ],
        seed=f"{deliberation.seed}/alone",
    )
    form = deliberation.review.ballot_form
    questions = _ballots_of(reviewer, material, deliberation.call_timeout_s, form)
    cast: list[BallotCast] = []
    parts = Parts(questions)
    while questions:
        by_key = {question.request.key: question for question in questions}
        questions = []
        for outcome in model.ask([question.request for question in by_key.values()]):
            question = by_key[outcome.key]
            if (retry := question.retry(outcome)) is not None:
                questions.append(retry)
            elif (ballot := parts.plus(question.entry(outcome, at=clock.now()))) is not None:
                cast.append(ballot)
    return cast


def _ballots_of(reviewer: Agent, material: Material, timeout_s: float, form: BallotForm) -> list[BallotQuestion]:
    passes = PASSES if form == "listwise" else 1
    presentation = present(material.candidates, seed=material.seed, passes=passes)
    return [
        question
        for number in range(passes)
        for question in ballot_questions(
            material, [reviewer], presentation, pass_=number, timeout_s=timeout_s, form=form
        )
    ]


def _best(
    deliberation: Deliberation, answers: Sequence[ChatAnswer], ballots: Sequence[BallotCast]
) -> tuple[str, ...]:
    """Return the samples of the greatest mean score."""
    author_of = {answer.key: f"single-{answer.key}" for answer in answers}
    votes = [
        Ballot(ballot.agent_id, author_of=author_of, scores=ballot.reading, presentation=ballot.order)
        for ballot in ballots
        if ballot.missing is None
    ]
    scores = rank(votes, rubric=deliberation.rubric).matrix.get("single-agent", {}) if votes else {}
    top = max(scores.values(), default=0.0)
    chosen = [answer.text for answer in answers if answer.key in scores and top - scores[answer.key] < 1e-9]
    return tuple(chosen or [answer.text for answer in answers])
