"""The time of day."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> float:
        """Return epoch seconds in UTC. May jump; nothing may rely on it never going back."""
        ...
