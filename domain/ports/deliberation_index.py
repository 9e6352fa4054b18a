"""Which deliberations there are, without reading them."""

from __future__ import annotations

from typing import Protocol


class DeliberationIndex(Protocol):
    """Deliberation ids by when they were last written to."""

    def open_untouched_since(self, moment: float, limit: int) -> tuple[str, ...]:
        """Return open deliberations untouched since `moment` (epoch seconds), longest untouched first."""
        ...

    def touch(self, deliberation_id: str, at: float) -> None:
        """Count the deliberation as written to at `at` (epoch seconds, may lie ahead); nothing if not open."""
        ...

    def count_open(self) -> int:
        """Count the deliberations that have been opened and not closed."""
        ...

    def newest(self, limit: int) -> tuple[str, ...]:
        """Return the ids opened last, newest first, open or closed, within retention."""
        ...

    def of_plan(self, plan_id: str) -> tuple[str, ...]:
        """Return the ids opened for that plan, newest first, open or closed, within retention; empty if none."""
        ...
