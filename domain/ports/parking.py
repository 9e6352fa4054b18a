"""Tasks and messages that lie aside."""

from __future__ import annotations

from typing import Protocol

from domain.parked import Parked


class Parking(Protocol):
    """What was parked. Messages get here by the broker layer itself, tasks by `put`.

    Every method may raise what its store raises while that is away, and may then be called again.
    """

    def put(self, parked: Parked) -> None:
        """Keep what has no such id yet; the first record of an id stays."""
        ...

    def all(self) -> tuple[Parked, ...]:
        """Return everything that is parked, oldest first."""
        ...

    def count(self) -> int:
        """Return how much is parked, without reading it."""
        ...

    def requeue(self, parked_id: str) -> bool:
        """Put a message back into its queue as it was, in one step; False where no such message is parked."""
        ...

    def drop(self, parked_id: str) -> bool:
        """Forget it; False where nothing of that id is parked."""
        ...
