"""The ballots of a record as the ranking reads them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ranking import Ballot
from domain.record import Record
from domain.review.candidate import Candidate

NOBODY = "(earlier winner)"
"""Stands for the author of a candidate that no member of this council wrote."""


def authors_of(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Return proposal id → agent id."""
    return {one.proposal_id: one.author or NOBODY for one in candidates}


def ballots_of(record: Record, candidates: Sequence[Candidate], round_: int) -> tuple[Ballot, ...]:
    """Return the ballots of one round that were handed in, as values of the ranking."""
    authors = authors_of(candidates)
    return tuple(
        Ballot(
            cast.agent_id,
            author_of=authors,
            scores={one: given for one, given in cast.scores.items() if one in authors},
            presentation=cast.order,
            round=round_,
        )
        for cast in record.ballots(round_)
        if cast.missing is None
    )
