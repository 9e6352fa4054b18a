"""How far people agree with what was decided, week by week."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from domain.value import Value
from domain.verdict import CHECK, Verdict, standing

WEEK_S = 7 * 86_400
MONDAY_S = 4 * 86_400
"""The epoch began on a Thursday."""


class WeekOfVerdicts(Value):
    """People's standing verdicts of a week, Monday to Sunday in UTC."""

    begins_at: float
    """Epoch seconds."""
    verdicts: int
    agreed: int
    """Of them, those that hold the decided winner for the best."""

    @property
    def share(self) -> float | None:
        """The part that agreed; None in a week without a verdict."""
        return self.agreed / self.verdicts if self.verdicts else None

    @property
    def day(self) -> str:
        """The Monday, as people write it."""
        return f"{datetime.fromtimestamp(self.begins_at, UTC):%d %b}"


def weeks(
    judged: Iterable[tuple[str | None, Sequence[Verdict]]], now: float, most: int = 12
) -> tuple[WeekOfVerdicts, ...]:
    """Count the verdicts on decisions, each given by its winner's proposal and all that was said of it.

    Returns the last weeks up to the present one, those without a verdict too; none where nobody said anything.
    """
    said = [
        (_monday(verdict.said_at), verdict.proposal_id is not None and verdict.proposal_id == winner)
        for winner, verdicts in judged
        for verdict in standing(verdicts).values()
        if verdict.by != CHECK
    ]
    last = _monday(now)
    begins = [last - WEEK_S * ago for ago in reversed(range(most))]
    counted = tuple(
        WeekOfVerdicts(
            begins_at=begin,
            verdicts=sum(week == begin for week, _ in said),
            agreed=sum(week == begin and agreed for week, agreed in said),
        )
        for begin in begins
    )
    return counted if any(week.verdicts for week in counted) else ()


def _monday(moment: float) -> int:
    return int((moment - MONDAY_S) // WEEK_S) * WEEK_S + MONDAY_S
