"""The ballots of a record as the ranking reads them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ranking import Ballot
from domain.record import Record
from domain.review.candidate import Candidate

OUTSIDER = "(earlier winner)"
"""Stands for the author of a candidate that no member of this council wrote."""


def authors_of(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return proposal id → agent id."""
    return {candidate.proposal_id: candidate.author or OUTSIDER for candidate in candidates}


def ballots_of(record: Record, candidates: Sequence[Candidate], round_: int) -> tuple[Ballot, ...]:
    """Return the ballots of one round that were handed in, as values of the ranking."""
    authors = authors_of(candidates)
    return tuple(
        Ballot(
            ballot.agent_id,
            author_of=authors,
            scores={proposal: scores for proposal, scores in ballot.scores.items() if proposal in authors},
            presentation=ballot.order,
            round=round_,
        )
        for ballot in record.ballots(round_)
        if ballot.missing is None
    )
