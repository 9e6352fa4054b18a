"""Comparable scores: places, spread and severity taken out of each reviewer's ballot as far as they should be.

With y = the reviewer's mean score less what the places add, m their mean and b the bound,

    z = b((y - m) · scale) + m - M

where M is the panel's mean of m, kept only where severities are estimated (`severity_prior`): then the model's
ridge says how much of m - M is severity. Version 1 is z = (y - m) · scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, sqrt, tanh

from domain.ranking.panel import SAME, Row, mean
from domain.ranking.places import PlaceEffect, without_places
from domain.ranking.ranking_inputs import RankingSettings


@dataclass(frozen=True)
class Comparable:
    """One reviewer's comparable scores, by column."""

    given: Mapping[int, float]
    """Its scores as given, but for the places' effect, which is taken out."""
    mean: float
    """Of those, in score points."""
    spread: float
    scale: float
    severity: float
    """What of its mean was kept in the scores, m - M."""
    scores: dict[int, float]
    shifts: Mapping[int, float]
    """What each score differs by from (raw score - raw mean) · scale; the same on every criterion."""


def comparable(
    rows: Sequence[Row], settings: RankingSettings, places: PlaceEffect, *, bounded: bool
) -> list[Comparable]:
    """Make the scores of reviewers with two or more comparable; `bounded` where the panel is large enough."""
    adjusted = [without_places(row, places) for row in rows]
    spreads = [_spread(list(scores.values())) for scores in adjusted]
    positive = [spread for spread in spreads if spread > 0]
    target = median(positive) if positive else 1.0
    bound = settings.bound if bounded else None
    return _with_shifts(
        rows,
        _with_severity(
            _bounded(
                [
                    _centre(scores, spread, target, settings)
                    for scores, spread in zip(adjusted, spreads, strict=True)
                ],
                bound,
                target,
            ),
            settings,
        ),
    )


def _spread(scores: Sequence[float]) -> float:
    """The sample standard deviation; 0 for equal scores, whatever rounding left of their differences."""
    middle = mean(scores)
    spread = sqrt(fsum((score - middle) ** 2 for score in scores) / (len(scores) - 1))
    return spread if spread > SAME else 0.0


def median(values: Sequence[float]) -> float:
    """The middle value; not the standard library's, whose module brings `random` into the domain."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else mean(ordered[half - 1 : half + 1])


def _centre(scores: Mapping[int, float], spread: float, target: float, settings: RankingSettings) -> Comparable:
    """Take out the mean and bring the spread nearer to the panel's median."""
    part = _shrinkage(len(scores), settings)
    shrunk = (1 - part) * spread + part * target
    scale = target / shrunk if shrunk > 0 else 1.0
    middle = mean(list(scores.values()))
    centred = {c: (score - middle) * scale for c, score in scores.items()}
    return Comparable(scores, middle, spread, scale, 0.0, centred, {})


def _shrinkage(scores: int, settings: RankingSettings) -> float:
    """How far a spread is moved to the panel's: the share of its variance that is error of so few scores.

    The log of a standard deviation from k scores has the sampling variance 1 / 2(k - 1), nearly.
    """
    if settings.spread_variance is None:
        return settings.spread_shrinkage
    error = 1 / (2 * (scores - 1))
    return error / (error + settings.spread_variance)


def _bounded(ballots: Sequence[Comparable], bound: float | None, target: float) -> Sequence[Comparable]:
    """Let no score count much more than the best of as many evenly spread ones.

    Each deviation from the ballot's median passes through limit · tanh(deviation / limit), a smooth kind of
    winsorising. The best of k evenly spread scores stands √3 (k - 1) / (k + 1) standard deviations above the
    middle; `bound` times that is the limit. All deviations are then stretched by one factor, so that scores stay
    in score points on the whole.
    """
    if bound is None:
        return ballots
    squashed = [_squashed(ballot.scores, bound * target) for ballot in ballots]
    pairs = [
        (ballot.scores[c], score)
        for ballot, row in zip(ballots, squashed, strict=True)
        for c, score in row.items()
    ]
    size = fsum(score * score for _, score in pairs)
    stretch = fsum(before * score for before, score in pairs) / size if size > 0 else 1.0
    return [
        replace(ballot, scores={c: score * stretch for c, score in row.items()})
        for ballot, row in zip(ballots, squashed, strict=True)
    ]


def _squashed(scores: Mapping[int, float], unit: float) -> dict[int, float]:
    limit = unit * sqrt(3) * (len(scores) - 1) / (len(scores) + 1)
    middle = median(list(scores.values()))
    bent = {c: limit * tanh((score - middle) / limit) for c, score in scores.items()}
    centre = mean(list(bent.values()))
    return {c: score - centre for c, score in bent.items()}


def _with_severity(ballots: Sequence[Comparable], settings: RankingSettings) -> Sequence[Comparable]:
    if settings.severity_prior is None or not ballots:
        return ballots
    middle = mean([ballot.mean for ballot in ballots])
    return [
        replace(
            ballot,
            severity=ballot.mean - middle,
            scores={c: score + (ballot.mean - middle) for c, score in ballot.scores.items()},
        )
        for ballot in ballots
    ]


def _with_shifts(rows: Sequence[Row], ballots: Sequence[Comparable]) -> list[Comparable]:
    return [replace(ballot, shifts=_shifts(row, ballot)) for row, ballot in zip(rows, ballots, strict=True)]


def _shifts(row: Row, ballot: Comparable) -> dict[int, float]:
    middle = mean(list(row.scores.values()))
    return {c: ballot.scores[c] - (score - middle) * ballot.scale for c, score in row.scores.items()}
