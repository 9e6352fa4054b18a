"""The time of day."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Return epoch seconds in UTC. May jump; nothing may rely on it never going back."""
        ...
