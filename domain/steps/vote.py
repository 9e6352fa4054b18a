"""The vote: every author and judge scores the others' candidates, blind, in an order and its reverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.ballots import authors_of, ballots_of
from domain.chat import ChatFailure, ChatOutcome, FailureReason
from domain.entry import BallotCast, Entry, ballot_key, call_facts
from domain.prompts import task_text
from domain.ranking import RankingSettings, decided_early
from domain.review.ballot_request import BallotRequest, ballot_requests
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.review.prompt import Material
from domain.steps.conclusion import Conclusion, Question


def material_of(sitting: Conclusion, candidates: Sequence[Candidate], round_: int) -> Material:
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


def vote(
    sitting: Conclusion, candidates: Sequence[Candidate], round_: int, *, caps: Mapping[str, float] | None = None
) -> None:
    """Collect the ballots of one round. A ballot that stays off form after a second asking is recorded missing.

    Both passes run at once, unless the second is to be left out where it can't change the winner; `caps` are the
    highest scores that checks allow. A lone candidate needs no vote. Raises EngineAway while ballots can't be had;
    those cast by then are kept.
    """
    if len(candidates) < 2:
        return
    rules = sitting.deliberation.review
    passes = _passes(sitting, candidates, round_, 2 if rules.both_passes else 1)
    if not rules.skip_decided:
        sitting.ask([question for questions in passes for question in questions])
        return
    for number, questions in enumerate(passes):
        if number and _settled(sitting, candidates, round_, caps or {}):
            return
        sitting.ask(questions)


def _settled(sitting: Conclusion, candidates: Sequence[Candidate], round_: int, caps: Mapping[str, float]) -> bool:
    """Tell whether a second pass could not change the winner any more."""
    deliberation = sitting.deliberation
    winner = decided_early(
        ballots_of(sitting.record, candidates, round_),
        waiting=[cast.agent_id for cast in sitting.record.ballots(round_)],
        settings=RankingSettings(swing=deliberation.review.swing),
        rubric=deliberation.rubric,
        authors=authors_of(candidates),
        caps=caps,
    )
    return winner is not None


def _passes(
    sitting: Conclusion, candidates: Sequence[Candidate], round_: int, passes: int
) -> list[list[Question]]:
    """Return the questions of every pass: to all authors, and to the neutral judges."""
    deliberation = sitting.deliberation
    material = material_of(sitting, candidates, round_)
    orders = deliberation.review.orders
    presentation = present(material.candidates, seed=material.seed, passes=passes, orders=orders)
    authors = {proposal.agent_id for proposal in sitting.record.proposals(0)}
    reviewers = [*(one for one in deliberation.agents if one.agent_id in authors), *deliberation.judges]
    return [
        [
            _question(sitting, asked, round_)
            for asked in ballot_requests(
                material, reviewers, presentation, pass_=pass_, timeout_s=sitting.timeout_s()
            )
        ]
        for pass_ in range(passes)
    ]


def _question(sitting: Conclusion, asked: BallotRequest, round_: int) -> Question:
    def settle(outcome: ChatOutcome) -> Entry | Question:
        scores = None if isinstance(outcome, ChatFailure) else asked.scores(outcome.text)
        off_form = scores is None and not isinstance(outcome, ChatFailure)
        again = asked.again() if off_form else None
        if again is not None:
            return _question(sitting, again, round_)
        return _ballot(sitting, asked, round_, outcome, scores or {})

    return Question(ballot_key(round_, asked.shown.pass_, asked.reviewer), asked.request, settle)


def _ballot(
    sitting: Conclusion, asked: BallotRequest, round_: int, outcome: ChatOutcome, scores: dict[str, dict[str, int]]
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
