"""Acting on deliberations from where nothing may be written but orders to workers."""

from __future__ import annotations

from typing import Protocol

from domain.redeliberation import RepeatChoice


class DeliberationControl(Protocol):
    """Orders that a control worker follows, once one is free; ordered again, they change nothing more.

    Each may raise what its broker raises while that is away, and may be called from several threads.
    """

    def cancel(self, deliberation_id: str, reason: str) -> None:
        """Order the end of a deliberation; one that has ended by then stays as it is."""
        ...

    def redeliberate(self, deliberation_id: str, choice: RepeatChoice) -> None:
        """Order the deliberation that follows this one (`domain.steps.redeliberate`).

        What can't be repeated when the order is followed is left alone, and logged.
        """
        ...
