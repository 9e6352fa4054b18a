"""From effects to an order: unanimity, then the score, then the tie-breaks, and which of them decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from typing import Literal

from domain.ranking.pairwise import Contests
from domain.ranking.panel import SAME

DecidedBy = Literal["score", "pairwise majority", "checks", "criteria", "hash", "no contest", "second look"]


@dataclass(frozen=True)
class TieBreaks:
    """What decides between equal scores: contests, checks, criteria as declared; `hashes` only names one."""

    contests: Contests
    checks: Sequence[float]
    criteria: Sequence[tuple[float, ...]]
    hashes: Sequence[str]

    def keys(self, group: Sequence[int]) -> dict[int, tuple[float, ...]]:
        """What the group's proposals are compared by; the greater comes first."""
        wins = self.contests.copeland(group)
        return {c: (float(wins[c]), round(self.checks[c], 9), *self._criteria(c)) for c in group}

    def _criteria(self, column: int) -> list[float]:
        return [round(effect, 9) + 0.0 for effect in self.criteria[column]]


@dataclass(frozen=True)
class Order:
    """Columns from best to worst with their ranks; equal ranks are shared (1, 1, 3)."""

    columns: tuple[int, ...]
    ranks: tuple[int, ...]
    decided_by: DecidedBy

    def followed_by(self, rest: Order) -> Order:
        """Put another order below this one."""
        ranks = self.ranks + tuple(rank + len(self.columns) for rank in rest.ranks)
        decided = rest.decided_by if not self.columns else self.decided_by
        if len(self.columns) == 1 and rest.columns:
            decided = "score"
        return Order(self.columns + rest.columns, ranks, decided)


def compared_again(order: Order, points: Mapping[int, float], scores: Sequence[float], breaks: TieBreaks) -> Order:
    """Put the columns that have points first, in the order of these; where all have the same, nothing changes.

    Equal points leave two as they were. What reviewers say of two side by side outweighs their scores of these,
    unanimous or not: with three authors one reviewer scores both, so that its scores would always decide.
    """
    if len(set(points.values())) < 2:
        return order
    group = sorted((column for column in order.columns if column in points), key=lambda c: -points[c])
    columns = (*group, *(column for column in order.columns if column not in points))
    before = dict(zip(order.columns, order.ranks, strict=True))
    ranks = [1]
    for place, (above, below) in enumerate(pairwise(columns), start=2):
        shared = before[above] == before[below] and points.get(above) == points.get(below)
        ranks.append(ranks[-1] if shared else place)
    return Order(columns, tuple(ranks), _decided(columns[0], columns[1], points, scores, breaks))


def _decided(
    first: int, second: int, points: Mapping[int, float], scores: Sequence[float], breaks: TieBreaks
) -> DecidedBy:
    """Say what put the first above the second after a second look."""
    if points[first] > points[second]:
        return "second look"
    if scores[first] - scores[second] > SAME:
        return "score"
    return _verdict(first, second, breaks.keys([first, second]), breaks.contests)


def respect_unanimity(effects: Sequence[float], columns: Sequence[int], breaks: TieBreaks) -> list[float]:
    """Pool effects that contradict a unanimous preference, so that the tie-break can put it right.

    With own proposals left out, two proposals are also compared through third ones, and strong enough
    indirect evidence could put b above a though every reviewer of both prefers a. The effects are made
    non-increasing along an order that respects unanimity, by pooling adjacent violators (isotonic regression;
    Barlow et al., Statistical Inference under Order Restrictions, 1972). Unanimity in a circle, possible
    where no reviewer saw all, can't be kept.
    """
    pooled = list(effects)
    pools: list[list[int]] = []
    for column in _unbeaten_first({c: (round(effects[c], 9),) for c in columns}, breaks):
        members = [column]
        while pools and pooled[pools[-1][0]] < pooled[members[0]] - SAME:
            members = pools.pop() + members
            value = fsum(effects[member] for member in members) / len(members)
            pooled = [value if c in members else effect for c, effect in enumerate(pooled)]
        pools.append(members)
    return pooled


def arrange(scores: Sequence[float], columns: Sequence[int], breaks: TieBreaks) -> Order:
    """Order the columns by score and break ties; what nothing separates shares a rank, lowest hash first."""
    ordered: list[int] = []
    ranks: list[int] = []
    decided: list[DecidedBy] = []
    for group in _equal(scores, columns):
        keys = breaks.keys(group)
        start = len(ordered) + 1
        for place, column in enumerate(_unbeaten_first(keys, breaks), start=start):
            verdict = _verdict(ordered[-1], column, keys, breaks.contests) if place > start else "score"
            ranks.append(ranks[-1] if verdict == "hash" else place)
            ordered.append(column)
            decided.append(verdict)
    return Order(tuple(ordered), tuple(ranks), decided[1] if len(decided) > 1 else "no contest")


def _equal(scores: Sequence[float], columns: Sequence[int]) -> list[list[int]]:
    """Groups of equal score, the highest first."""
    groups: list[list[int]] = []
    for column in sorted(columns, key=lambda c: (-scores[c], c)):
        if groups and scores[groups[-1][-1]] - scores[column] <= SAME:
            groups[-1].append(column)
        else:
            groups.append([column])
    return groups


def _unbeaten_first(keys: Mapping[int, tuple[float, ...]], breaks: TieBreaks) -> list[int]:
    """Take the best by key, then lowest hash, until none is left; never before a unanimously preferred rival."""
    remaining = sorted(keys, key=lambda c: (tuple(-part for part in keys[c]), breaks.hashes[c], c))
    beats = breaks.contests.unanimous
    ordered: list[int] = []
    while remaining:
        unbeaten = (c for c in remaining if not any(beats(rival, c) for rival in remaining))
        ordered.append(next(unbeaten, remaining[0]))
        remaining.remove(ordered[-1])
    return ordered


def _verdict(above: int, below: int, keys: Mapping[int, tuple[float, ...]], contests: Contests) -> DecidedBy:
    """Say what put one proposal above another of equal score."""
    names: tuple[DecidedBy, ...] = ("pairwise majority", "checks")
    if contests.unanimous(above, below):
        return names[0]
    differing = [i for i, (a, b) in enumerate(zip(keys[above], keys[below], strict=True)) if a != b]
    if not differing:
        return "hash"
    return names[differing[0]] if differing[0] < len(names) else "criteria"
