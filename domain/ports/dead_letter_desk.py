"""What a person does with messages that were rejected, or never processed."""

from __future__ import annotations

from typing import Protocol

from domain.dead_letter import DeadLetter


class DeadLetterDesk(Protocol):
    """Dead letters by their numbers; for one event loop. Each method may raise SystemUnreadable."""

    async def list(self, after: int, limit: int) -> tuple[DeadLetter, ...]:
        """Return up to `limit` dead letters behind that number, oldest first."""
        ...

    async def newest(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return up to `limit` dead letters, newest first; fewer where many between them were deleted."""
        ...

    async def show(self, number: int) -> DeadLetter:
        """Return one of them. Raises NoSuchDeadLetter."""
        ...

    async def replay(self, number: int) -> None:
        """Publish the original again and remove the dead letter; repeated after a crash, it is stored once.

        Raises NoSuchDeadLetter, NotReplayable.
        """
        ...

    async def purge(self, number: int) -> None:
        """Delete one for good. Raises NoSuchDeadLetter."""
        ...
