"""A proposal as the review handles it, before its author's name is taken off."""

from __future__ import annotations

from collections.abc import Iterable

from domain.value import Name, Value

MAX_CANDIDATES = 33
"""Sixteen leading versions, as many revisions of them, and one more: an earlier decision's winner."""


class Candidate(Value):
    """One text that stands for election."""

    proposal_id: Name
    author: str = ""
    """Agent id; empty where no member of this council wrote it."""
    text: str
    model: str = ""
    """The model that wrote it: taken off, like the author, before reviewers see the text."""


def distinct(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates; raises ValueError unless there are 1 to 33 with differing ids."""
    standing = tuple(candidates)
    if not 1 <= len(standing) <= MAX_CANDIDATES:
        raise ValueError(f"a review takes 1 to {MAX_CANDIDATES} candidates, not {len(standing)}")
    if len({candidate.proposal_id for candidate in standing}) != len(standing):
        raise ValueError("proposal ids must differ within a review")
    return standing
