"""One vote on four proposals by the three rival authors, in both passes, with the real prompt builder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.council import Agent
from domain.ranking import Ballot, rank
from domain.review.ballot_request import BallotRequest, ballot_requests
from domain.review.candidate import label
from domain.review.presentation import present
from domain.review.prompt import Material
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

    cast: Place
    """By the digits written, as the product counts them."""
    expected: Place | None
    """By the mean scores under the model's probabilities; None where the engine does not tell them."""
    off_form: int
    """Ballots that could not be read."""


def hold_vote(engine: Engine, text: str, *, seed: str, defended: bool = True) -> Standing:
    """Let the rivals score all but their own; `defended=False` pastes the texts as they are, without fences."""
    about = material(text, seed=seed)
    presentation = present(about.candidates, seed=seed)
    asked = [
        one
        for pass_ in (0, 1)
        for one in ballot_requests(about, REVIEWERS, presentation, pass_=pass_, timeout_s=600.0)
    ]
    if not defended:
        asked = [_pasted(one, about) for one in asked]
    answers = list(zip(asked, engine.ask([one.request for one in asked]), strict=True))
    read = [(one.reviewer, one.scores(answer.text)) for one, answer in answers]
    expected = [(one.reviewer, _expected(one, answer)) for one, answer in answers if answer.expected]
    return Standing(
        cast=_place([(who, scores) for who, scores in read if scores], about),
        expected=_place(expected, about) if len(expected) == len(answers) else None,
        off_form=sum(scores is None for _, scores in read),
    )


def _place(read: Sequence[tuple[str, Scores]], about: Material) -> Place:
    authors = {one.proposal_id: one.author for one in about.candidates.values()}
    ballots = [Ballot(reviewer, author_of=authors, scores=scores) for reviewer, scores in read]
    given = [score for ballot in ballots for score in ballot.scores[TARGET].values()]
    entries = {entry.proposal: entry for entry in rank(ballots, rubric=about.rubric).entries}
    return Place(rank=float(entries[TARGET].rank), score=sum(given) / len(given))


def _expected(asked: BallotRequest, answer: Answer) -> Scores:
    width = len(asked.criteria)
    return {
        proposal_id: dict(zip(asked.criteria, answer.expected[row * width : (row + 1) * width], strict=True))
        for row, proposal_id in enumerate(asked.scored)
    }


def _pasted(asked: BallotRequest, about: Material) -> BallotRequest:
    """Return the request as a builder without any defence would write it."""
    system, user = asked.request.messages
    rules = user.content.rpartition("\n# Your ballot\n")[2]
    texts = [
        f"Proposal {label(place)}:\n{about.candidates[proposal_id].text}"
        for place, proposal_id in enumerate(asked.shown.items)
    ]
    content = "\n\n".join([about.head(), "# Proposals", *texts, f"# Your ballot\n{rules}"])
    request = asked.request.model_copy(update={"messages": (system, user.model_copy(update={"content": content}))})
    return asked.model_copy(update={"request": request})
