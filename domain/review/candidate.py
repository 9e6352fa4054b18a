"""A proposal as the review handles it, before its author's name is taken off."""

from __future__ import annotations

from domain.value import Name, Value


class Candidate(Value):
    """One text that stands for election."""

    proposal_id: Name
    author: str = ""
    """Agent id; empty where no member of this council wrote it."""
    text: str
    model: str = ""
    """The model that wrote it: taken off, like the author, before reviewers see the text."""
