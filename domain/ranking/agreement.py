"""How far reviewers agree: Kendall's W for orders, Krippendorff's alpha for scores. Published measures only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum, sqrt

from domain.ranking.pairwise import Contests, Scores, midranks
from domain.ranking.panel import SAME, Row, mean


def voice_scores(rows: Iterable[Row]) -> list[dict[int, float]]:
    """Every voice's scores: per proposal the mean over its reviewers, since copies agree with themselves."""
    voices: dict[str, dict[int, list[float]]] = {}
    for row in rows:
        given = voices.setdefault(row.voice, {})
        for column, score in row.scores.items():
            given.setdefault(column, []).append(score)
    return [{column: mean(scores) for column, scores in sorted(given.items())} for given in voices.values()]


def kendall_w(rows: Sequence[Scores], size: int) -> float | None:
    """Kendall's coefficient of concordance, corrected for ties, 0 (none) to 1 (all reviewers order alike).

    With complete ballots it is Kendall's W with the usual correction for ties (Kendall, Rank Correlation
    Methods, chapter 6): the squares of the rank totals over what they would be had all agreed. With gaps,
    such as each reviewer's own proposal, what they would be is computed from the same ballots, each reordered
    by the panel's majority among the proposals on it. Where each leaves out its own and the majority forms
    an order, that is Durbin's coefficient for incomplete blocks (British Journal of Statistical Psychology
    4, 1951). None where fewer than two reviewers ranked two proposals or no reviewer preferred any.
    """
    blocks = [scores for scores in rows if len(scores) > 1]
    contests = Contests(blocks, size)
    agreed = [contests.copeland(sorted(scores)) for scores in blocks]
    observed, possible = _concentration(blocks, size), _concentration(agreed, size)
    if len(blocks) < 2 or observed is None:
        return None
    return min(1.0, observed / (possible or len(blocks)))


def _concentration(blocks: Iterable[Scores], size: int) -> float | None:
    """Squared sums of centred ranks over their summed squares: Friedman's statistic but for a constant."""
    columns: list[list[float]] = [[] for _ in range(size)]
    for scores in blocks:
        middle = (len(scores) + 1) / 2
        for column, rank in midranks(scores).items():
            columns[column].append(rank - middle)
    total = fsum(rank * rank for ranks in columns for rank in ranks)
    return fsum(fsum(ranks) ** 2 for ranks in columns) / total if total else None


def krippendorff_alpha(rows: Sequence[Scores], size: int) -> float | None:
    """Krippendorff's alpha, interval data with gaps: 1 for equal scores, 0 for chance, negative for contradiction.

    1 - observed / expected disagreement over pairable scores (Krippendorff, Computing Krippendorff's
    Alpha-Reliability, 2011). It reads raw scores: unlike the ranking it falls when one reviewer is more
    severe. None where no proposal has two scores, or all scores are equal.
    """
    units = [[row[column] for row in rows if column in row] for column in range(size)]
    pairable = [unit for unit in units if len(unit) > 1]
    values = [value for unit in pairable for value in unit]
    expected = _squares(values) / (len(values) - 1) if values else 0.0
    if expected <= SAME * SAME:
        return None
    within = [len(unit) * _squares(unit) / (len(unit) - 1) for unit in pairable]
    return 1 - fsum(within) / len(values) / expected


def _squares(values: Sequence[float]) -> float:
    """Sum of squared deviations from the mean."""
    middle = mean(values)
    return fsum((value - middle) ** 2 for value in values)


def correlation(scores: Scores, reference: Sequence[float]) -> float | None:
    """Pearson's r of one reviewer's scores with the reference over the same proposals; None if either is flat."""
    columns = sorted(scores)
    own, others = [scores[c] for c in columns], [reference[c] for c in columns]
    a, b = mean(own), mean(others)
    squares = _squares(own), _squares(others)
    if min(squares) <= SAME * SAME:
        return None
    shared = fsum((x - a) * (y - b) for x, y in zip(own, others, strict=True))
    return max(-1.0, min(1.0, shared / sqrt(squares[0] * squares[1])))
