"""Events in memory, by place; `tell` stores one."""

from __future__ import annotations

import asyncio

from domain.contract import DeliberationBody
from domain.errors import FeedAway
from domain.feed import FedEvent


class MemoryEventFeed:
    """EventFeed over a list. Places have gaps, as those of a stream that holds other messages too."""

    def __init__(self) -> None:
        self._stored: list[FedEvent] = []
        self._came = asyncio.Event()
        self.away = False
        self.reads = 0
        """How often it was read from."""

    def tell(self, body: DeliberationBody) -> int:
        """Store an event and return its place."""
        sequence = 1 + 2 * len(self._stored)
        self._stored.append(FedEvent(sequence=sequence, body=body))
        self._came.set()
        return sequence

    def lose(self) -> None:
        """Begin anew, as a stream does that was lost with its server."""
        self._stored.clear()

    async def start(self, since: float | None = None) -> int:
        self._refuse_while_away()
        later = [event.sequence for event in self._stored if since is not None and event.body.timestamp >= since]
        return later[0] if later else 1 + 2 * len(self._stored)

    async def read(self, first: int, most: int) -> tuple[FedEvent, ...]:
        self._refuse_while_away()
        self.reads += 1
        return tuple([event for event in self._stored if event.sequence >= first][:most])

    async def wait(self) -> None:
        self._refuse_while_away()
        await self._came.wait()
        self._came.clear()

    def _refuse_while_away(self) -> None:
        if self.away:
            raise FeedAway("the message system is away")
