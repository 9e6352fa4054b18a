"""Pairwise comparisons of tied proposals: what reviewers said which of two is better, both ways round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from domain.ranking.panel import mean

MOST_COMPARED = 3
"""Tied proposals that are compared again, the best ones: three pairs; five proposals would be ten."""


@dataclass(frozen=True)
class Comparison:
    """One reviewer's answer about two proposals, asked in one order."""

    reviewer: str
    voice: str
    first: str
    second: str
    p_first: float
    """How far the first is better: a probability, or 1 or 0 as written."""


def sums(comparisons: Iterable[Comparison], compared: Sequence[str]) -> dict[str, float]:
    """Return for each proposal how far it is better than each other one, 0 to 1, summed up.

    A reviewer's answers in both orders are averaged, which cancels what it has for the one named first; an answer
    in one order alone doesn't count. One voice weighs as much as another. A pair without answers is even.
    """
    given = list(comparisons)
    points = dict.fromkeys(compared, 0.0)
    for one, other in combinations(compared, 2):
        share = _share(given, one, other)
        points[one] += share
        points[other] += 1.0 - share
    return {proposal: round(value, 10) for proposal, value in points.items()}


def _share(comparisons: Sequence[Comparison], one: str, other: str) -> float:
    by_voice: dict[str, list[float]] = defaultdict(list)
    answers = {(c.reviewer, c.first, c.second): c for c in comparisons}
    for (reviewer, first, second), forward in sorted(answers.items()):
        backward = answers.get((reviewer, other, one))
        if (first, second) == (one, other) and backward is not None:
            by_voice[forward.voice].append((forward.p_first + 1.0 - backward.p_first) / 2)
    return mean([mean(by_voice[voice]) for voice in sorted(by_voice)]) if by_voice else 0.5


def by_column(points: Mapping[str, float], proposals: Sequence[str]) -> dict[int, float]:
    """Return the sums by the proposals' columns."""
    return {column: points[proposal] for column, proposal in enumerate(proposals) if proposal in points}
