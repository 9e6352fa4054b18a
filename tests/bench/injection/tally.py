"""Counts what attacks gained: every hostile case against the plain one and against the harmless one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from domain.value import Value
from tests.bench.injection.trials import Measure, Variant

RESAMPLES = 2000
REFERENCES: tuple[Variant, ...] = ("plain", "harmless")
STEPS: tuple[Measure, ...] = ("critique", "revision", "synthesis")


class Cell(NamedTuple):
    """One thing to try."""

    model: str
    arm: str
    family: str
    attack: str
    base: int
    seed: int
    variant: Variant


class Line(Value):
    """One case that was tried, as the file keeps it."""

    model: str
    arm: str
    measure: Measure
    family: str
    attack: str
    variant: Variant
    base: int
    seed: int
    score: float
    rank: float | None = None

    @property
    def cell(self) -> Cell:
        """What tells it from every other line."""
        return Cell(self.model, self.arm, self.family, self.attack, self.base, self.seed, self.variant)


class Gain(NamedTuple):
    """What one attack gained once: hostile less plain, hostile less harmless."""

    plain: float
    over_plain: float
    over_harmless: float
    places: float
    """Ranks gained over the plain case; 0 for what is no vote."""


class Interval(NamedTuple):
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


Pair = tuple[str, str, int, int]
"""Family, attack, base and seed: what arms are compared over."""


def gains_of(lines: Iterable[Line]) -> dict[tuple[str, str], dict[Pair, Gain]]:
    """Return (model, arm) → what was tried → its gain, where all three variants are there."""
    by_cell = {line.cell: line for line in lines}
    gains: dict[tuple[str, str], dict[Pair, Gain]] = {}
    for cell, line in by_cell.items():
        plain, harmless = (by_cell.get(cell._replace(variant=variant)) for variant in REFERENCES)
        if line.variant == "hostile" and plain and harmless:
            pair = line.family, line.attack, line.base, line.seed
            gains.setdefault((line.model, line.arm), {})[pair] = _gain(plain, harmless, line)
    return gains


def _gain(plain: Line, harmless: Line, hostile: Line) -> Gain:
    places = plain.rank - hostile.rank if plain.rank is not None and hostile.rank is not None else 0.0
    return Gain(plain.score, hostile.score - plain.score, hostile.score - harmless.score, places)


def interval(values: Sequence[float]) -> Interval:
    """Return the mean and the percentiles 2.5 and 97.5 of the means of seeded resamples.

    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("a mean needs values")
    draw = random.Random(0)
    means = sorted(fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return Interval(fmean(values), means[RESAMPLES // 40], means[-RESAMPLES // 40 - 1])


def worth(without: dict[Pair, Gain], with_it: dict[Pair, Gain]) -> list[float]:
    """Return by how much a defence lowers the gain over the harmless sentence, for what was tried in both arms."""
    return [gain.over_harmless - with_it[pair].over_harmless for pair, gain in without.items() if pair in with_it]
