"""Which reviewers to trust how much: leave-one-out agreement, weights from it, and flags a reader should see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.ranking.agreement import correlation
from domain.ranking.comparable import Comparable
from domain.ranking.panel import SAME, Row
from domain.ranking.ranking_inputs import RankingSettings


def agreements(ballots: Sequence[Comparable], without: Sequence[Sequence[float]]) -> list[float | None]:
    """Correlate a reviewer's scores with what other voices find without it: -1 to 1, None where either is flat."""
    return [correlation(ballot.given, others) for ballot, others in zip(ballots, without, strict=True)]


def weights(agreement: Sequence[float | None], prior: Sequence[float], settings: RankingSettings) -> list[float]:
    """Lower the weight of reviewers the others contradict, to the floor at worst."""
    return [weight * _trust(r, settings) for weight, r in zip(prior, agreement, strict=True)]


def _trust(agreement: float | None, settings: RankingSettings) -> float:
    if agreement is None:
        return 1.0
    span = settings.trusted_agreement - settings.distrusted_agreement
    return max(settings.weight_floor, min(1.0, (agreement - settings.distrusted_agreement) / span))


def flags(row: Row, agreement: float | None, settings: RankingSettings) -> tuple[str, ...]:
    """Name what is odd about a reviewer: silent, gaps, flat, unstable, dissenting."""
    scores = row.scores.values()
    unstable = row.swap_consistency is not None and row.swap_consistency < settings.unstable_below
    marks: Mapping[str, bool] = {
        "silent": not scores,
        "gaps": bool(scores) and bool(row.missing),
        "flat": len(scores) > 1 and max(scores) - min(scores) <= SAME,
        "unstable": unstable,
        "dissenting": agreement is not None and agreement < settings.trusted_agreement,
    }
    return tuple(name for name, present in marks.items() if present)
