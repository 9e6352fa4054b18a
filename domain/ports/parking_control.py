"""Acting on what is parked from where nothing may be written but orders to workers."""

from __future__ import annotations

from typing import Protocol


class ParkingControl(Protocol):
    """Orders that a control worker follows, once one is free; ordered again, they change nothing more.

    Each may raise what its broker raises while that is away, and may be called from several threads.
    """

    def release(self, parked_id: str) -> None:
        """Order that it is let go (`domain.steps.release`); what can't be stays parked, and that is logged."""
        ...

    def drop(self, parked_id: str) -> None:
        """Order that it is deleted for good."""
        ...
