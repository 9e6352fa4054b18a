"""Which engines serve which model now, as every worker can see it."""

from __future__ import annotations

from typing import Protocol

from domain.engine import EngineRecord


class EngineDirectory(Protocol):
    """Live engines. May raise what its store raises while that is away."""

    def publish(self, record: EngineRecord, ttl_s: float) -> None:
        """Put the record in place of the one with its name; it vanishes `ttl_s` seconds later unless renewed."""
        ...

    def withdraw(self, name: str) -> None:
        """Take a record out now; an unknown name changes nothing."""
        ...

    def serving(self, model: str) -> tuple[EngineRecord, ...]:
        """Return the live engines of that model that take calls, by name."""
        ...

    def all(self) -> tuple[EngineRecord, ...]:
        """Return every live engine, those that are being started among them, by model and name."""
        ...
