"""How much of what there is to gain a rule gains, with intervals from resampled tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, fsum

from domain.proving.rules import ORACLE, RANDOM
from domain.ranking.rng import SplitMix64
from domain.value import OpenValue

RESAMPLES = 2000
PROBABILITY = 0.95
"""Of the intervals."""
_LEAST = 1e-12  # a smaller gap is none


class Interval(OpenValue):
    """A value and the interval that holds it; both None where there is nothing to measure it by."""

    value: float | None
    low: float | None
    high: float | None


def resampled(tasks: int, *, seed: int = 0, resamples: int = RESAMPLES) -> list[list[int]]:
    """Draw the places of as many tasks as there are, with replacement, again and again.

    Every rule is measured on the same draws, so that intervals of differences are paired (Efron and Tibshirani,
    An Introduction to the Bootstrap, 1993). A word of 64 bits a draw: its bias is below tasks / 2⁶⁴.
    """
    generator = SplitMix64(seed)
    return [[generator.word() % tasks for _ in range(tasks)] for _ in range(resamples)]


def mean_interval(values: Sequence[float], draws: Sequence[Sequence[int]]) -> Interval:
    """Return the mean of values, one a task, with the percentile interval over the draws."""
    if not values:
        return Interval(value=None, low=None, high=None)
    return _interval(_mean(values), [_mean([values[place] for place in draw]) for draw in draws])


def recovered_gap(
    values: Sequence[float], by_rule: Mapping[str, Sequence[float]], draws: Sequence[Sequence[int]]
) -> Interval:
    """Return (rule - random) / (oracle - random), means over tasks: 0 is chance, 1 is always right if possible.

    Draws in which the oracle gains nothing say nothing and are left out; None where all are such.
    """
    random, oracle = by_rule[RANDOM], by_rule[ORACLE]
    everything = range(len(values))
    ratios = [_ratio(values, random, oracle, draw) for draw in draws]
    return _interval(_ratio(values, random, oracle, everything), [ratio for ratio in ratios if ratio is not None])


def _ratio(
    values: Sequence[float], random: Sequence[float], oracle: Sequence[float], places: Sequence[int]
) -> float | None:
    possible = fsum(oracle[place] - random[place] for place in places)
    gained = fsum(values[place] - random[place] for place in places)
    return gained / possible if possible > _LEAST else None


def _interval(value: float | None, drawn: Sequence[float]) -> Interval:
    if value is None or not drawn:
        return Interval(value=value, low=None, high=None)
    ordered = sorted(drawn)
    tail = (1 - PROBABILITY) / 2
    return Interval(value=value, low=_quantile(ordered, tail), high=_quantile(ordered, 1 - tail))


def _quantile(ordered: Sequence[float], probability: float) -> float:
    """Return the least value that this share of the values does not exceed (the inverse of their distribution)."""
    return ordered[max(0, ceil(probability * len(ordered) - 1e-9) - 1)]


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)
