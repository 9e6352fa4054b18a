"""Resident memory of processes over time, every life of a restarted one apart."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

MIB = 1 << 20


@dataclass
class Life:
    """One process from the first look at it to the last."""

    name: str
    pid: int
    began: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since `began`, resident bytes."""

    @property
    def length_s(self) -> float:
        """Seconds over which it was seen."""
        return self.samples[-1][0] if self.samples else 0.0

    def growth(self, *, warm_after_s: float) -> int | None:
        """Return the bytes gained since it was warm; None for one that was hardly seen after that."""
        warm = [resident for age, resident in self.samples if age >= warm_after_s]
        return warm[-1] - warm[0] if len(warm) > 1 else None


class MemoryWatch:
    """Looks at processes when told to."""

    def __init__(self) -> None:
        self.lives: dict[tuple[str, int], Life] = {}

    def look(self, pids: Mapping[str, int]) -> dict[str, int]:
        """Note the resident bytes of every process that is there, by name, and return them."""
        seen = {}
        for name, pid in pids.items():
            life = self.lives.setdefault((name, pid), Life(name, pid))
            try:
                seen[name] = resident(pid)
            except psutil.Error:
                continue
            life.samples.append((time.monotonic() - life.began, seen[name]))
        return seen

    def longest(self) -> dict[str, Life]:
        """Return the longest life of each process, by name."""
        lives = sorted(self.lives.values(), key=lambda life: life.length_s)
        return {life.name: life for life in lives}


def resident(pid: int) -> int:
    """Return the bytes a process holds in memory. Raises psutil.Error if it is gone."""
    return int(psutil.Process(pid).memory_info().rss)
