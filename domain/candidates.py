"""Which texts stand for election in a round, who wrote them, and the ballots on them as the ranking reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from domain.council import Agent, voice_of
from domain.deliberation import Deliberation
from domain.entry import BallotCast, Proposed
from domain.keys import PRIOR
from domain.ranking import Ballot
from domain.record import Record
from domain.review.candidate import Candidate
from domain.review.presentation import Presentation, present
from domain.review.voters import voters


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


OUTSIDER = "(earlier winner)"
"""Stands for the author of a candidate that no member of this council wrote."""


def authors_of(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return proposal id → agent id."""
    return {candidate.proposal_id: candidate.author or OUTSIDER for candidate in candidates}


def presentation_of(deliberation: Deliberation, candidates: Sequence[Candidate], round_: int) -> Presentation:
    """Draw the orders in which one round's candidates are shown, as the rules of the deliberation say."""
    rules = deliberation.review
    return present(
        [candidate.proposal_id for candidate in candidates],
        seed=f"{deliberation.seed}/{round_}",
        passes=rules.passes,
        orders=rules.distinct_orders,
    )


def voters_on(candidates: Sequence[Candidate], presentation: Presentation, record: Record) -> tuple[Agent, ...]:
    """Return whom a vote on these candidates asks: authors and neutral judges, but for copies that add nothing."""
    authors = {proposal.agent_id for proposal in record.proposals(0)}
    deliberation = record.deliberation
    reviewers = [*(agent for agent in deliberation.agents if agent.agent_id in authors), *deliberation.judges]
    own: dict[str, str] = {}
    for candidate in candidates:
        own.setdefault(candidate.author, candidate.proposal_id)
    return voters(reviewers, presentation, own)


def spared(record: Record, round_: int) -> frozenset[str]:
    """Return the reviewers that were not asked in a round since others of their voice were."""
    reviewers = {agent.agent_id: voice_of(agent) for agent in record.deliberation.reviewers}
    asked = {ballot.agent_id for ballot in record.ballots(round_)}
    voices = {reviewers.get(agent_id) for agent_id in asked}
    silent = {proposal.agent_id for proposal in record.proposals(0)} | {
        j.agent_id for j in record.deliberation.judges
    }
    return frozenset(agent_id for agent_id in silent - asked if reviewers[agent_id] in voices)


def ballots_of(
    record: Record, candidates: Sequence[Candidate], round_: int, voices: Mapping[str, str]
) -> tuple[Ballot, ...]:
    """Return the ballots of one round that were handed in, as values of the ranking; `voices` by agent id.

    Where each proposal was shown alone, agents of one voice would answer alike, so one of them was asked about a
    proposal, and its answer is that of all.
    """
    authors = authors_of(candidates)
    cast = [ballot for ballot in record.ballots(round_) if ballot.missing is None]
    shared: dict[str, dict[str, Mapping[str, float]]] = defaultdict(dict)
    for ballot in cast:
        if ballot.alone and ballot.agent_id in voices:
            shared[voices[ballot.agent_id]].update(ballot.reading)
    return tuple(
        Ballot(
            ballot.agent_id,
            author_of=authors,
            scores=_on(authors, ballot, shared.get(voice, {}) if ballot.alone else {}),
            presentation=ballot.order,
            round=round_,
            voice=voice,
        )
        for ballot in cast
        for voice in [voices.get(ballot.agent_id, "")]
    )


def _on(
    proposals: Collection[str], ballot: BallotCast, shared: Mapping[str, Mapping[str, float]]
) -> dict[str, Mapping[str, float]]:
    scores = {**shared, **ballot.reading}
    return {proposal: scores[proposal] for proposal in proposals if proposal in scores}
