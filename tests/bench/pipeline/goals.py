"""What the pipeline may cost, as ratios to a bare chord of the same run: they hold on a slow machine too."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

IDEAL_S = 2.0
"""Two model steps of a second each: all proposals, then all ballots."""
AT_ONCE = 50


@dataclass(frozen=True)
class Goal:
    """One number of a run and its bound."""

    name: str
    value: float
    at_most: float

    @property
    def met(self) -> bool:
        return self.value <= self.at_most


def goals(
    *,
    idle: tuple[Sequence[float], Sequence[float]],
    busy: tuple[Sequence[float], Sequence[float]],
    cpu_s: tuple[float, float],
    commands: float,
) -> tuple[Goal, ...]:
    """Judge one run; pairs are a deliberation's and a bare chord's, in seconds of wall and of processor time."""
    return (
        Goal("overhead over the ideal, idle, times a bare chord's", _overhead(*idle), 2.5),
        Goal(f"overhead over the ideal, {AT_ONCE} at once, times the bare chords'", _overhead(*busy), 4.0),
        Goal("processor time of all processes, times the bare chord's", cpu_s[0] / cpu_s[1], 2.0),
        Goal("Valkey's commands for a deliberation of three agents", commands, 200),
    )


def _overhead(ours: Sequence[float], bare: Sequence[float]) -> float:
    return (statistics.median(ours) - IDEAL_S) / (statistics.median(bare) - IDEAL_S)
