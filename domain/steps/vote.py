"""The vote: every author and judge scores the others' candidates, blind, in an order and its reverse."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ballots import authors_of, ballots_of
from domain.entry import BallotCast, Entry, ballot_key, call_facts
from domain.ports.chat_model import ChatFailure, FailureReason, Outcome
from domain.prompts import task_text
from domain.ranking import RankingSettings, decided_early
from domain.review.ballot_request import BallotRequest, ballot_requests
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.review.prompt import Material
from domain.steps.sitting import Question, Sitting


def material_of(sitting: Sitting, candidates: Sequence[Candidate], round_: int) -> Material:
    """Prepare what the prompts of one round are about."""
    deliberation = sitting.deliberation
    return Material(
        task=task_text(deliberation),
        rubric=deliberation.rubric,
        candidates=candidates,
        seed=f"{deliberation.seed}/{round_}",
        agents=[agent.agent_id for agent in deliberation.agents],
        models=[agent.model or "" for agent in deliberation.agents],
    )


def vote(sitting: Sitting, candidates: Sequence[Candidate], round_: int) -> None:
    """Collect the ballots of one round. A ballot that stays off form after a second asking is recorded missing.

    Both passes run at once, unless the second is to be left out where it can't change the winner.
    Raises EngineAway while ballots can't be had; those cast by then are kept.
    """
    rules = sitting.deliberation.review
    passes = 2 if rules.both_passes else 1
    if not rules.skip_decided:
        sitting.ask([q for pass_ in range(passes) for q in _questions(sitting, candidates, round_, pass_, passes)])
        return
    for pass_ in range(passes):
        if pass_ and _settled(sitting, candidates, round_):
            return
        sitting.ask(_questions(sitting, candidates, round_, pass_, passes))


def _settled(sitting: Sitting, candidates: Sequence[Candidate], round_: int) -> bool:
    """Tell whether a second pass could not change the winner any more."""
    deliberation = sitting.deliberation
    winner = decided_early(
        ballots_of(sitting.record, candidates, round_),
        waiting=[cast.agent_id for cast in sitting.record.ballots(round_)],
        settings=RankingSettings(swing=deliberation.review.swing),
        rubric=deliberation.rubric,
        authors=authors_of(candidates),
    )
    return winner is not None


def _questions(
    sitting: Sitting, candidates: Sequence[Candidate], round_: int, pass_: int, passes: int
) -> list[Question]:
    deliberation = sitting.deliberation
    material = material_of(sitting, candidates, round_)
    presentation = present(
        material.candidates, seed=material.seed, passes=passes, orders=deliberation.review.orders
    )
    authors = {proposal.agent_id for proposal in sitting.record.proposals(0)}
    reviewers = [
        agent for agent in deliberation.reviewers if agent.agent_id in authors or agent in deliberation.judges
    ]
    asked = ballot_requests(material, reviewers, presentation, pass_=pass_, timeout_s=sitting.timeout_s())
    return [_question(sitting, one, round_) for one in asked]


def _question(sitting: Sitting, asked: BallotRequest, round_: int) -> Question:
    def settle(outcome: Outcome) -> Entry | Question:
        scores = None if isinstance(outcome, ChatFailure) else asked.scores(outcome.text)
        off_form = scores is None and not isinstance(outcome, ChatFailure)
        again = asked.again() if off_form else None
        if again is not None:
            return _question(sitting, again, round_)
        return _ballot(sitting, asked, round_, outcome, scores or {})

    return Question(ballot_key(round_, asked.shown.pass_, asked.reviewer), asked.request, settle)


def _ballot(
    sitting: Sitting, asked: BallotRequest, round_: int, outcome: Outcome, scores: dict[str, dict[str, int]]
) -> BallotCast:
    missing, detail = None, ""
    if isinstance(outcome, ChatFailure):
        missing, detail = outcome.reason, outcome.detail
    elif not scores:
        missing, detail = FailureReason.MALFORMED, "the answer was off the ballot's form, twice"
    facts = call_facts(asked.reviewer, asked.request.model, outcome, at=sitting.now(), round_=round_)
    return BallotCast(
        **facts, pass_=asked.shown.pass_, order=asked.shown.items, scores=scores, missing=missing, detail=detail
    )
