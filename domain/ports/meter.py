"""What is measured while steps run; numbers for operators, nothing depends on them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from domain.entry import Closed
from domain.record import Record


class Meter(Protocol):
    """Counts and times work; never raises, never blocks."""

    def step(self, name: str, *, waited_s: float) -> AbstractContextManager[None]:
        """Count a step as running while the block runs and time it; `waited_s` is how long it was queued."""
        ...

    def ended(self, record: Record, closed: Closed) -> None:
        """Count a deliberation's end; called by the run that ended it, with the record before its end."""
        ...
