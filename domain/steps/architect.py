"""The architect: asked where the vote left the top open, or for a synthesis. The ballots stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import ChatFailure, ChatOutcome, FailureReason
from domain.council import Agent
from domain.entry import SYNTHESIS_KEY, ArchitectSpoke, Entry, call_facts
from domain.ranking import Ranking
from domain.review.architect import choice_request, chosen, synthesis_request
from domain.review.ballot_request import BallotRequest
from domain.review.candidate import Candidate
from domain.steps.conclusion import Conclusion, Question
from domain.steps.vote import material_of

BEST = 3
"""Proposals that a synthesis is made of; more make it a summary."""


def consult_architect(sitting: Conclusion, candidates: Sequence[Candidate], ranking: Ranking) -> None:
    """Have the council's architect choose among the proposals that the vote could not tell apart."""
    architect = sitting.deliberation.architect
    open_ones = set(ranking.tied_with_winner)
    if ranking.contested and ranking.condorcet and ranking.winner:
        open_ones |= {ranking.condorcet, ranking.winner}
    if architect is None or len(open_ones) < 2:
        return
    material = material_of(sitting, candidates, sitting.deliberation.rounds)
    asked = choice_request(material, architect, sorted(open_ones), timeout_s=sitting.timeout_s())
    if asked is not None:
        sitting.ask([_question(sitting, architect, asked)])


def synthesise(sitting: Conclusion, candidates: Sequence[Candidate], ranking: Ranking) -> None:
    """Have the architect write one proposal out of the best, where the rules say so; nothing depends on it."""
    deliberation = sitting.deliberation
    architect = deliberation.architect
    if architect is None or not deliberation.review.synthesis:
        return
    best = [entry.proposal for entry in ranking.entries[:BEST]]
    material = material_of(sitting, candidates, deliberation.rounds)
    request = synthesis_request(
        material, architect, best, max_tokens=deliberation.max_tokens, timeout_s=sitting.timeout_s()
    )

    def settle(outcome: ChatOutcome) -> Entry:
        facts = call_facts(architect.agent_id, architect.model or "", outcome, at=sitting.now())
        if isinstance(outcome, ChatFailure):
            return ArchitectSpoke(**facts, task="synthesis", missing=outcome.reason)
        return ArchitectSpoke(**facts, task="synthesis", synthesis=outcome.text.strip())

    sitting.ask([Question(SYNTHESIS_KEY, request, settle)])


def _question(sitting: Conclusion, architect: Agent, asked: BallotRequest) -> Question:
    def settle(outcome: ChatOutcome) -> Entry | Question:
        scores = None if isinstance(outcome, ChatFailure) else asked.scores(outcome.text)
        again = asked.again() if scores is None and not isinstance(outcome, ChatFailure) else None
        if again is not None:
            return _question(sitting, architect, again)
        missing = (
            outcome.reason
            if isinstance(outcome, ChatFailure)
            else FailureReason.MALFORMED
            if scores is None
            else None
        )
        facts = call_facts(architect.agent_id, architect.model or "", outcome, at=sitting.now())
        return ArchitectSpoke(**facts, choice=chosen(scores or {}), missing=missing)

    return Question("architect", asked.request, settle)
