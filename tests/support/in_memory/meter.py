"""A meter that keeps what was counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain.entry import Closed
from domain.record import Record


class MemoryMeter:
    """Meter over two lists."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float]] = []
        self.ends: list[Closed] = []

    @contextmanager
    def step(self, name: str, *, waited_s: float) -> Iterator[None]:
        self.steps.append((name, waited_s))
        yield

    def ended(self, record: Record, closed: Closed) -> None:
        self.ends.append(closed)
