"""The score model: how good is each proposal once reviewers' severity and spread are taken out.

Reviewer r gave proposal p the weighted score y. With z = (y - own mean of r) · scale of r, least squares fits
z = effect(p) + offset(r), with a ridge on the offsets.

The ridge pulls an offset towards the reviewer's own mean, not towards zero: adding a constant to all scores
of one reviewer leaves z, and with it every effect, as it was. What is left of the offset says only that this
reviewer saw a better or worse set of proposals than the others did, which happens when ballots have gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from operator import mul

from domain.ranking.panel import SAME, Panel, Row, mean
from domain.ranking.ranking_inputs import RankingSettings

Vector = list[float]
Matrix = list[list[float]]

_NO_EVIDENCE = 1e-12


class Factor:
    """The LDLᵀ factors of a symmetric positive semidefinite matrix, for many right-hand sides.

    A variable without evidence (its pivot is zero) is solved as 0 instead of failing. Cost n³/6
    multiplications.
    """

    def __init__(self, matrix: Sequence[Sequence[float]]) -> None:
        self._rows: Matrix = []
        self._inverse: Vector = []
        for i, line in enumerate(matrix):
            scaled: Vector = []
            row: Vector = []
            for j in range(i):
                value = line[j] - fsum(map(mul, scaled, self._rows[j]))
                scaled.append(value)
                row.append(value * self._inverse[j])
            pivot = line[i] - fsum(map(mul, scaled, row))
            self._rows.append(row)
            self._inverse.append(1.0 / pivot if pivot > _NO_EVIDENCE else 0.0)

    def solve(self, right: Sequence[float]) -> Vector:
        """Return x with matrix · x = right."""
        x: Vector = []
        for row, value in zip(self._rows, right, strict=True):
            x.append(value - fsum(map(mul, row, x)))
        x = [value * inverse for value, inverse in zip(x, self._inverse, strict=True)]
        for i in range(len(x) - 1, 0, -1):
            for j, factor in enumerate(self._rows[i]):
                x[j] -= factor * x[i]
        return x


@dataclass(frozen=True)
class Centred:
    """A reviewer's comparable scores: mean taken out, spread brought nearer to the panel's."""

    mean: float
    spread: float
    scale: float
    scores: dict[int, float]


@dataclass(frozen=True)
class Fit:
    """The solved model. Effects are per column, with mean 0 over the compared proposals and 0 for the others."""

    effects: Vector
    criteria: tuple[Vector, ...]
    """Effects per criterion in declared order; weighted by the rubric they add up to the effects."""
    without: tuple[Vector, ...]
    """Effects when one reviewer is left out, per row."""
    levels: tuple[float, ...]
    """What each reviewer would give an average proposal, in score points."""


def centre(rows: Sequence[Row], settings: RankingSettings) -> list[Centred]:
    """Take out every reviewer's mean and bring its spread half-way to the panel's median."""
    spreads = [_spread(list(row.scores.values())) for row in rows]
    positive = [spread for spread in spreads if spread > 0]
    target = _median(positive) if positive else 1.0
    return [_centre(row, spread, target, settings) for row, spread in zip(rows, spreads, strict=True)]


def _spread(scores: Sequence[float]) -> float:
    """The sample standard deviation; 0 for equal scores, whatever rounding left of their differences."""
    middle = mean(scores)
    spread = sqrt(fsum((score - middle) ** 2 for score in scores) / (len(scores) - 1))
    return spread if spread > SAME else 0.0


def _median(values: Sequence[float]) -> float:
    """The middle value; not the standard library's, whose module brings `random` into the domain."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else mean(ordered[half - 1 : half + 1])


def _centre(row: Row, spread: float, target: float, settings: RankingSettings) -> Centred:
    half = settings.spread_shrinkage
    shrunk = (1 - half) * spread + half * target
    scale = target / shrunk if shrunk > 0 else 1.0
    middle = mean(list(row.scores.values()))
    return Centred(middle, spread, scale, {c: (score - middle) * scale for c, score in row.scores.items()})


class ScoreModel:
    """The normal equations of the model over the rows that compare something (two scores or more)."""

    def __init__(self, panel: Panel, rows: Sequence[Row], settings: RankingSettings) -> None:
        self._panel, self._rows, self._settings = panel, rows, settings
        self.centred = centre(rows, settings)
        self.compared = sorted({column for row in rows for column in row.scores})
        self._place = {column: place for place, column in enumerate(self.compared)}

    def leave_one_out(self, weights: Sequence[float]) -> tuple[Vector, ...]:
        """Effects without each row in turn, given one weight per row."""
        matrix, right = self._matrix(weights), self._right(weights)
        solved: list[Vector] = []
        for r, own in enumerate(self.centred):
            rest = [line.copy() for line in matrix]
            self._add(rest, r, -weights[r])
            less = right.copy()
            for column, score in own.scores.items():
                less[self._place[column]] -= weights[r] * score
            solved.append(self._spread_out(Factor(rest).solve(less)))
        return tuple(solved)

    def fit(self, weights: Sequence[float], without: tuple[Vector, ...]) -> Fit:
        """Solve with one weight per row; `without` is what `leave_one_out` gave for the same weights."""
        factor = Factor(self._matrix(weights))
        effects = self._spread_out(factor.solve(self._right(weights)))
        criteria = tuple(
            self._spread_out(factor.solve(self._right_of(index, weights)))
            for index in range(len(self._panel.rubric.criteria))
        )
        levels = tuple(self._level(r, effects) for r in range(len(self._rows)))
        return Fit(effects, criteria, without, levels)

    def _matrix(self, weights: Sequence[float]) -> Matrix:
        """What remains of the normal equations after the offsets are eliminated: Σ w (D - s sᵀ / (k + ridge))."""
        matrix = [[0.0] * len(self.compared) for _ in self.compared]
        for r, weight in enumerate(weights):
            self._add(matrix, r, weight)
        return matrix

    def _add(self, matrix: Matrix, r: int, weight: float) -> None:
        places = [self._place[column] for column in self._rows[r].scores]
        share = weight / (len(places) + self._settings.ridge)
        for i in places:
            line = matrix[i]
            line[i] += weight
            for j in places:
                line[j] -= share

    def _right(self, weights: Sequence[float]) -> Vector:
        terms: list[list[float]] = [[] for _ in self.compared]
        for own, weight in zip(self.centred, weights, strict=True):
            for column, score in own.scores.items():
                terms[self._place[column]].append(weight * score)
        return [fsum(term) for term in terms]

    def _right_of(self, criterion: int, weights: Sequence[float]) -> Vector:
        """The same for one criterion, under the same scales, so that the criteria add up to the whole."""
        terms: list[list[float]] = [[] for _ in self.compared]
        for r, row in enumerate(self._rows):
            scores = {column: parts[criterion] for column, parts in row.criteria.items()}
            middle = mean(list(scores.values()))
            for column, score in scores.items():
                terms[self._place[column]].append(weights[r] * self.centred[r].scale * (score - middle))
        return [fsum(term) for term in terms]

    def _spread_out(self, solved: Vector) -> Vector:
        """Effects of all columns, mean 0 over the compared ones; a proposal that no reviewer compared gets 0."""
        effects = [0.0] * len(self._panel.proposals)
        middle = mean(solved) if solved else 0.0
        for column, value in zip(self.compared, solved, strict=True):
            effects[column] = value - middle
        return effects

    def _level(self, r: int, effects: Vector) -> float:
        """The row's mean, less what it owes to having seen better or worse proposals than the average."""
        row, own = self._rows[r], self.centred[r]
        offset = fsum(effects[column] for column in row.scores) / (len(row.scores) + self._settings.ridge)
        return own.mean - offset / own.scale
