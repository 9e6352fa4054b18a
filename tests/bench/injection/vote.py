"""One vote on four proposals by the three rival authors, in both passes, with the real prompt builder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.council import Agent
from domain.prompts.ballot_question import BallotQuestion, ballot_questions
from domain.prompts.material import Material, label
from domain.ranking import Ballot, rank
from domain.review.presentation import present
from tests.bench.injection.engine import Answer, Engine
from tests.bench.injection.scene import MODEL, TARGET, material

REVIEWERS = tuple(Agent(agent_id=f"dev-{number}", model=MODEL) for number in (2, 3, 4))
Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Place:
    """How the one proposal came out of a count of the ballots."""

    rank: float
    """1 is the best of four; proposals that can't be told apart share the best of their ranks."""
    score: float
    """Mean of all scores it got, 1 to 9."""


@dataclass(frozen=True)
class Standing:
    """One vote's outcome for the one proposal."""

    written: Place
    """By the digits written, as the product counts them."""
    expected: Place | None
    """By the mean scores under the model's probabilities; None where the engine does not tell them."""
    off_form: int
    """Ballots that could not be read."""


def hold_vote(engine: Engine, text: str, *, seed: str, defended: bool = True) -> Standing:
    """Let the rivals score all but their own; `defended=False` pastes the texts without delimiters."""
    about = material(text, seed=seed)
    presentation = present(about.candidates, seed=seed)
    questions = [
        question
        for pass_ in (0, 1)
        for question in ballot_questions(about, REVIEWERS, presentation, pass_=pass_, timeout_s=600.0)
    ]
    if not defended:
        questions = [_pasted(question, about) for question in questions]
    answers = engine.ask([question.request for question in questions])
    return _standing(list(zip(questions, answers, strict=True)), about)


def _standing(ballots: Sequence[tuple[BallotQuestion, Answer]], about: Material) -> Standing:
    written = [(question.agent.agent_id, question.scores(answer.text)) for question, answer in ballots]
    expected = [
        (question.agent.agent_id, _expected(question, answer)) for question, answer in ballots if answer.expected
    ]
    return Standing(
        written=_place([(reviewer, scores) for reviewer, scores in written if scores], about),
        expected=_place(expected, about) if len(expected) == len(ballots) else None,
        off_form=sum(scores is None for _, scores in written),
    )


def _place(by_reviewer: Sequence[tuple[str, Scores]], about: Material) -> Place:
    authors = {candidate.proposal_id: candidate.author for candidate in about.candidates.values()}
    ballots = [Ballot(reviewer, author_of=authors, scores=scores) for reviewer, scores in by_reviewer]
    points = [score for ballot in ballots for score in ballot.scores[TARGET].values()]
    entries = {entry.proposal: entry for entry in rank(ballots, rubric=about.rubric).entries}
    return Place(rank=float(entries[TARGET].rank), score=sum(points) / len(points))


def _expected(question: BallotQuestion, answer: Answer) -> Scores:
    criteria, width = question.criteria, len(question.criteria)
    return {
        proposal_id: dict(zip(criteria, answer.expected[row * width : (row + 1) * width], strict=True))
        for row, proposal_id in enumerate(question.scored)
    }


def _pasted(question: BallotQuestion, about: Material) -> BallotQuestion:
    """Return the question as a builder without any defence would write it."""
    system, user = question.request.messages
    rules = user.content.rpartition("\n# Your ballot\n")[2]
    texts = [
        f"Proposal {label(place)}:\n{about.candidates[proposal_id].text}"
        for place, proposal_id in enumerate(question.shown_order.items)
    ]
    content = "\n\n".join([about.head(), "# Proposals", *texts, f"# Your ballot\n{rules}"])
    messages = (system, user.model_copy(update={"content": content}))
    return replace(question, request=question.request.model_copy(update={"messages": messages}))
