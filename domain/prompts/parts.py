"""Ballots that several model calls make together, kept until the last of their parts has come."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from domain.entry import BallotCast
from domain.prompts.model_question import ModelQuestion


class Parts:
    """Joins the parts of each ballot. A ballot that is not whole when a run ends is lost, and asked for again."""

    def __init__(self, questions: Sequence[ModelQuestion]) -> None:
        self._expected = Counter(question.key for question in questions)
        self._come: dict[str, list[BallotCast]] = defaultdict(list)

    def plus(self, part: BallotCast) -> BallotCast | None:
        """Add what one question gave; return the ballot if it is whole now."""
        come = self._come[part.key]
        come.append(part)
        return BallotCast.of_parts(come) if len(come) == self._expected[part.key] else None
