"""How sure the order is: a bootstrap over reviewers, in closed form from the leave-one-reviewer-out solutions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from math import factorial, inf, prod, sqrt
from operator import sub

from domain.ranking.effects import Fit
from domain.ranking.linear import Vector
from domain.ranking.panel import SAME
from domain.ranking.ranking_inputs import RankingSettings
from domain.ranking.rng import SplitMix64

_POINT = 2**40
_SAME = round(SAME * _POINT)

Resample = tuple[int, Sequence[int]]
"""How often a resample occurs among all, and the reviewers in it."""


@dataclass(frozen=True)
class Uncertainty:
    """Per compared column: the probability to be best (None if nothing can be resampled) and its ranks."""

    p_best: Mapping[int, float | None]
    intervals: Mapping[int, tuple[int, int]]


def resamples(reviewers: int, settings: RankingSettings) -> Iterable[Resample]:
    """Draw reviewers with replacement: all distinct resamples and their counts, or seeded draws if too many."""
    if reviewers <= settings.exact_up_to:
        return _every(reviewers)
    generator = SplitMix64(settings.seed)
    return ((1, generator.picks(reviewers, reviewers)) for _ in range(settings.resamples))


@cache
def _every(reviewers: int) -> tuple[Resample, ...]:
    distinct = combinations_with_replacement(range(reviewers), reviewers)
    return tuple((_arrangements(members), members) for members in distinct)


def _arrangements(members: Sequence[int]) -> int:
    """The number of sequences of draws that give these members."""
    return factorial(len(members)) // prod(factorial(times) for times in Counter(members).values())


def assess(
    fit: Fit,
    columns: Sequence[int],
    order: Sequence[int],
    ceilings: Sequence[float],
    settings: RankingSettings,
) -> Uncertainty:
    """Resample the reviewers, taken in the sequence `order`, and count which of the columns comes where.

    A resample's effects are effects + Σ (times - 1) · influence, with the influence of a reviewer taken from
    the solution without it (the jackknife; Efron, The Jackknife, the Bootstrap and Other Resampling Plans,
    1982), scaled so that the variance over all resamples is the jackknife's. One pass instead of a fit per
    resample. `ceilings` bounds the effect of capped proposals. Fewer than two reviewers say nothing:
    intervals are the whole.
    """
    if len(order) < 2:
        return Uncertainty(dict.fromkeys(columns), dict.fromkeys(columns, (1, len(columns))))
    influences = _influences(fit, columns, order)
    start = [
        _fixed(fit.effects[c]) - sum(moves)
        for c, moves in zip(columns, zip(*influences, strict=True), strict=True)
    ]
    tops = [ceilings[c] if ceilings[c] == inf else _fixed(ceilings[c]) for c in columns]
    bounded = min(tops) < inf
    tally = _Tally(len(columns))
    for count, members in resamples(len(order), settings):
        drawn = list(map(sum, zip(start, *[influences[r] for r in members], strict=True)))
        tally.add(count, list(map(min, drawn, tops)) if bounded else drawn)
    p_best, intervals = tally.result(settings.interval)
    return Uncertainty(dict(zip(columns, p_best, strict=True)), dict(zip(columns, intervals, strict=True)))


def _influences(fit: Fit, columns: Sequence[int], order: Sequence[int]) -> list[list[int]]:
    """Per reviewer, how much one more copy of its ballots moves each column's effect."""
    scale = sqrt((len(order) - 1) / len(order))
    return [[_fixed(scale * (fit.effects[c] - fit.without[r][c])) for c in columns] for r in order]


def _fixed(points: float) -> int:
    """Score points in fixed point: whole numbers add up alike in any order and on any Python, and fast."""
    return round(points * _POINT)


class _Tally:
    """Counts ranks over resamples; equal effects share the best place and each hold the whole range of ranks."""

    def __init__(self, size: int) -> None:
        self._best: Vector = [0.0] * size
        self._from = [[0] * size for _ in range(size)]
        self._to = [[0] * size for _ in range(size)]
        self._strict: Counter[tuple[int, ...]] = Counter()
        self._total = 0

    def add(self, count: int, effects: Sequence[float]) -> None:
        """Count one resample, `count` times."""
        self._total += count
        order = sorted(range(len(effects)), key=effects.__getitem__, reverse=True)
        sizes = [effects[column] for column in order]
        if min(map(sub, sizes, sizes[1:])) > _SAME:
            self._strict[tuple(order)] += count
        else:
            self._add_equals(count, order, sizes)

    def _add_equals(self, count: int, order: Sequence[int], sizes: Sequence[float]) -> None:
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and sizes[end - 1] - sizes[end] <= _SAME:
                end += 1
            for column in order[start:end]:
                self._from[column][start] += count
                self._to[column][end - 1] += count
                self._best[column] += 0 if start else count / end
            start = end

    def result(self, interval: float) -> tuple[Vector, list[tuple[int, int]]]:
        """Shares of the best place, and per column the ranks between which the interval's probability lies."""
        for order, count in self._strict.items():
            self._best[order[0]] += count
            for rank, column in enumerate(order):
                self._from[column][rank] += count
                self._to[column][rank] += count
        tail = (1 - interval) / 2 * self._total
        lows = [_reached(counts, tail) for counts in self._from]
        highs = [_reached(counts, self._total - tail) for counts in self._to]
        return [best / self._total for best in self._best], list(zip(lows, highs, strict=True))


def _reached(counts: Sequence[int], threshold: float) -> int:
    """The first rank at which the running count reaches the threshold."""
    running = 0
    for rank, count in enumerate(counts, start=1):
        running += count
        if running >= threshold:
            return rank
    return len(counts)
