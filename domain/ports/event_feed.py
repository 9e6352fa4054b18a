"""What was told about deliberations, by its place, so that a reader can go on where it was cut off."""

from __future__ import annotations

from typing import Protocol

from domain.feed import FedEvent


class EventFeed(Protocol):
    """The events about deliberations in the order of their storing. Each method may raise FeedAway."""

    async def start(self, since: float | None = None) -> int:
        """Return the place of the first event stored since the moment, in epoch seconds; None: of the next one.

        The next one's place is below earlier ones once the message system has lost what it held.
        """
        ...

    async def read(self, first: int, most: int) -> tuple[FedEvent, ...]:
        """Return the next events from that place on, at most so many; fewer only where no more are stored."""
        ...

    async def wait(self) -> None:
        """Return when more may be stored than when it was called last, or after a moment."""
        ...
