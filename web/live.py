"""Events for all who watch: read once, kept for a while, and handed on from wherever each of them was cut off."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import takewhile

from domain.errors import FeedAway
from domain.feed import FedEvent
from domain.ports.event_feed import EventFeed

MOST_KEPT = 2_000
"""Events in memory; who was cut off for longer reads what is missing from the feed."""
AT_ONCE = 100
READERS_BACK = 4
"""Watchers that read stored events at one moment; the others wait: each event costs the server a request."""
RETRY_S = 0.5
"""Between two tries while the feed is away."""

Wanted = Callable[[FedEvent], bool]


class LiveEvents:
    """One reader of the feed for one event loop, from the first watcher on until the page ends."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed
        self._kept: deque[FedEvent] = deque(maxlen=MOST_KEPT)
        self._complete_from = 0
        """All events from this place on are kept, or were never stored."""
        self._next = 0
        self._streams = 0
        """How often the stream began anew."""
        self._came = asyncio.Condition()
        self._reading: asyncio.Task[None] | None = None
        self._reading_back = asyncio.Semaphore(READERS_BACK)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """End the reader with the block."""
        try:
            yield
        finally:
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.gather(self._reading, return_exceptions=True)

    async def position(self) -> int:
        """Return the place that the next event will have at least, once the feed was reached."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        async with self._came:
            await self._came.wait_for(lambda: self._next > 0)
            return self._next

    async def keeps(self, first: int) -> bool:
        """Say whether all events from that place on are in memory, once the feed was reached."""
        position = await self.position()
        return self._complete_from <= first <= position

    async def follow(self, first: int, wanted: Wanted) -> AsyncIterator[tuple[FedEvent, ...]]:
        """Yield what is wanted from that place on, in order, each event once, for ever.

        Events that come while the caller is busy are yielded together, stored ones a bounded number at a time.
        """
        if first > await self.position():
            first = 1  # the place is of a stream that is lost
        stream = self._streams
        while True:
            events, first = await self._next_from(first)
            if chosen := tuple(event for event in events if wanted(event)):
                yield chosen
            await self._moved_from(first)
            if stream != self._streams:
                first, stream = 1, self._streams

    async def _moved_from(self, place: int) -> None:
        async with self._came:
            await self._came.wait_for(lambda: self._next != place)

    async def _next_from(self, first: int) -> tuple[list[FedEvent], int]:
        """Return the next events from that place on, and the place behind them: a part of what is only stored.

        All of it at once, for each watcher, would fill the memory.
        """
        if first < (edge := self._complete_from):
            async with self._reading_back:
                events = await self._patiently(first)
            before = [event for event in events if event.sequence < edge]
            return before, edge if len(before) < AT_ONCE else before[-1].sequence + 1
        kept = list(takewhile(lambda event: event.sequence >= first, reversed(self._kept)))
        return kept[::-1], self._next

    async def _patiently(self, first: int) -> tuple[FedEvent, ...]:
        while True:
            try:
                return await self._feed.read(first, AT_ONCE)
            except FeedAway:
                await asyncio.sleep(RETRY_S)

    async def _read(self) -> None:
        while True:
            try:
                await self._catch_up()
                await self._feed.wait()
            except FeedAway:
                await asyncio.sleep(RETRY_S)

    async def _catch_up(self) -> None:
        """Read all that is stored; begin anew where the stream did."""
        end = await self._feed.start()
        if not 0 < self._next <= end:
            self._kept.clear()
            self._streams += 1
            self._complete_from = end if self._next == 0 else 1
            await self._moved_to(self._complete_from)
        while events := await self._feed.read(self._next, AT_ONCE):
            for event in events:
                if len(self._kept) == MOST_KEPT:
                    self._complete_from = self._kept[0].sequence + 1
                self._kept.append(event)
            await self._moved_to(events[-1].sequence + 1)

    async def _moved_to(self, place: int) -> None:
        async with self._came:
            self._next = place
            self._came.notify_all()
