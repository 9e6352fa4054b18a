"""A proposal as the review handles it, before anybody's name is taken off."""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_uppercase

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


def label(place: int) -> str:
    """Name the candidate shown at that place (0 is the first): A to Z, then AA, AB …

    Labels follow places, not proposals: a liking for some letter is then a liking for some place, and the
    reverse pass cancels both.
    """
    tens, ones = divmod(place, len(ascii_uppercase))
    return (ascii_uppercase[tens - 1] if tens else "") + ascii_uppercase[ones]


def distinct(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates; raises ValueError unless there are 1 to 33 with differing ids."""
    found = tuple(candidates)
    if not 1 <= len(found) <= MAX_CANDIDATES:
        raise ValueError(f"a review takes 1 to {MAX_CANDIDATES} candidates, not {len(found)}")
    if len({candidate.proposal_id for candidate in found}) != len(found):
        raise ValueError("proposal ids must differ within a review")
    return found
