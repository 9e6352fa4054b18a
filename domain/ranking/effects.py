"""The score model: how good is each proposal once reviewers' severity and spread are taken out.

Of each reviewer's comparable scores z (comparable.py), least squares fits z = effect(p) + offset(r), with a
ridge on the offsets. Where severities are estimated (severity.py) the ridge is the ratio of the error's to the
severities' variance: effects lie between plain means (a shared scale) and comparisons within ballots alone
(scales of their own).

In version 1 z has the reviewer's own mean taken out, and the ridge pulls an offset towards that mean, not towards
zero: adding a constant to all scores of one reviewer leaves z, and with it every effect, as it was. What is left
of the offset says only that this reviewer saw a better or worse set of proposals than the others did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from domain.ranking.comparable import Comparable, comparable, median
from domain.ranking.linear import Factor, Matrix, Vector
from domain.ranking.panel import Panel, Row, mean
from domain.ranking.places import PlaceEffect
from domain.ranking.ranking_inputs import RankingSettings
from domain.ranking.severity import severity_ridge


@dataclass(frozen=True)
class Fit:
    """The solved model. Effects are per column, with mean 0 over the compared proposals and 0 for the others."""

    effects: Vector
    criteria: tuple[Vector, ...]
    """Effects per criterion in declared order; weighted by the rubric they add up to the effects."""
    without: tuple[Vector, ...]
    """Effects when a row's voice is left out, per row."""
    levels: tuple[float, ...]
    """What each reviewer would give an average proposal, in score points."""


def counted_voice(row: Row, settings: RankingSettings) -> str:
    """Whose opinion a reviewer's ballots count as."""
    return row.voice if settings.by_voice else row.reviewer


class ScoreModel:
    """The normal equations of the model over the rows that compare something (two scores or more)."""

    def __init__(
        self,
        panel: Panel,
        rows: Sequence[Row],
        settings: RankingSettings,
        places: PlaceEffect | None = None,
        *,
        robust: bool = False,
    ) -> None:
        self._panel, self._rows = panel, rows
        self.voices = [counted_voice(row, settings) for row in rows]
        self._groups = self.voices if len(set(self.voices)) > 1 else [row.reviewer for row in rows]
        self.ballots = comparable(rows, settings, places or {}, bounded=robust)
        self.ridge = self._ridge(settings)
        self._targets = [self._target(ballot) for ballot in self.ballots]
        self.compared = sorted({column for row in rows for column in row.scores})
        self._place = {column: place for place, column in enumerate(self.compared)}

    def _ridge(self, settings: RankingSettings) -> float:
        if settings.severity_prior is None or not self.ballots:
            return settings.ridge
        spread = median([ballot.spread for ballot in self.ballots if ballot.spread > 0] or [1.0])
        return severity_ridge([ballot.scores for ballot in self.ballots], spread, settings.severity_prior)

    def _target(self, ballot: Comparable) -> dict[int, float]:
        """What is left of a ballot's scores after its offset is eliminated: z - Σ z / (k + ridge)."""
        size = len(ballot.scores)
        offset = size * ballot.severity / (size + self.ridge)
        return {column: score - offset for column, score in ballot.scores.items()}

    def leave_one_out(self, weights: Sequence[float]) -> tuple[Vector, ...]:
        """Effects without each row's voice in turn, given one weight per row; one list, parallel to the rows.

        Where all have one voice, without each reviewer: that tells how far the voice's own ballots waver.
        """
        matrix, right = self._matrix(weights), self._right(weights)
        without = {group: self._without(group, matrix, right, weights) for group in dict.fromkeys(self._groups)}
        return tuple(without[group] for group in self._groups)

    def first_of_each(self, order: Iterable[int]) -> list[int]:
        """Return the first row of each of those that are left out together, in the order given."""
        first: dict[str, int] = {}
        for r in order:
            first.setdefault(self._groups[r], r)
        return list(first.values())

    def _without(self, group: str, matrix: Matrix, right: Vector, weights: Sequence[float]) -> Vector:
        rest, less = [line.copy() for line in matrix], right.copy()
        for r, target in enumerate(self._targets):
            if self._groups[r] == group:
                self._add(rest, r, -weights[r])
                for column, score in target.items():
                    less[self._place[column]] -= weights[r] * score
        return self._spread_out(Factor(rest).solve(less))

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
        share = weight / (len(places) + self.ridge)
        for i in places:
            line = matrix[i]
            line[i] += weight
            for j in places:
                line[j] -= share

    def _right(self, weights: Sequence[float]) -> Vector:
        terms: list[list[float]] = [[] for _ in self.compared]
        for target, weight in zip(self._targets, weights, strict=True):
            for column, score in target.items():
                terms[self._place[column]].append(weight * score)
        return [fsum(term) for term in terms]

    def _right_of(self, criterion: int, weights: Sequence[float]) -> Vector:
        """The same for one criterion, under the same scales, so that the criteria add up to the whole."""
        terms: list[list[float]] = [[] for _ in self.compared]
        for r, row in enumerate(self._rows):
            scores = {column: parts[criterion] for column, parts in row.criteria.items()}
            middle = mean(list(scores.values()))
            ballot, target = self.ballots[r], self._targets[r]
            for column, score in scores.items():
                shift = ballot.shifts[column] + (target[column] - ballot.scores[column])
                part = weights[r] * ballot.scale * (score - middle) + weights[r] * shift
                terms[self._place[column]].append(part)
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
        row, own = self._rows[r], self.ballots[r]
        excess = fsum(effects[column] for column in row.scores) - len(row.scores) * own.severity
        return own.mean - (own.severity + excess / (len(row.scores) + self.ridge)) / own.scale
