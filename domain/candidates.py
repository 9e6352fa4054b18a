"""Which texts stand for election in a round, and who wrote them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from domain.entry import Proposed
from domain.keys import PRIOR
from domain.record import Record
from domain.review.candidate import Candidate


def first_versions(record: Record) -> tuple[Candidate, ...]:
    """Return every agent's first proposal, and the earlier winner where it runs again."""
    candidates = [candidate_of(proposal) for proposal in record.proposals(0)]
    deliberation = record.deliberation
    if deliberation.prior_winner:
        candidates.append(
            Candidate(proposal_id=PRIOR, author=deliberation.prior_author, text=deliberation.prior_winner)
        )
    return tuple(candidates)


def with_revisions(record: Record, champions: Collection[Candidate], round_: int) -> tuple[Candidate, ...]:
    """Return the versions that lead so far and the ones revised in this round."""
    return (*champions, *(candidate_of(revised) for revised in record.proposals(round_)))


def candidate_of(proposal: Proposed) -> Candidate:
    """Return a proposal as the review handles it."""
    return Candidate(
        proposal_id=proposal.proposal_id, author=proposal.agent_id, text=proposal.text, model=proposal.model
    )


def best_versions(candidates: Collection[Candidate], effects: Mapping[str, float]) -> tuple[Candidate, ...]:
    """Keep each author's version with the highest effect; of equals the earlier, since nothing showed a gain."""

    def effect(candidate: Candidate) -> float:
        return effects.get(candidate.proposal_id, float("-inf"))

    best: dict[str, Candidate] = {}
    for candidate in candidates:
        key = candidate.author if candidate.proposal_id != PRIOR else PRIOR
        if key not in best or effect(candidate) > effect(best[key]):
            best[key] = candidate
    return tuple(best.values())
