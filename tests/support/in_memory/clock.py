"""A clock that moves only when a test moves it."""

from __future__ import annotations


class MemoryClock:
    """Stands at `moment`, epoch seconds, until it is moved."""

    def __init__(self, moment: float = 1_700_000_000.0) -> None:
        self._moment = moment

    def now(self) -> float:
        return self._moment

    def advance(self, seconds: float) -> None:
        """Move by so many seconds; negative ones go back, as real clocks may."""
        self._moment += seconds
