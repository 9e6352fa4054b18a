"""Linear equations in plain Python, solved alike to the bit on every machine: for the models of the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from operator import mul

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

    @property
    def free(self) -> int:
        """How many variables no equation determines."""
        return self._inverse.count(0.0)

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
