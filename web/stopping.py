"""The end of the process as long waits hear of it, so that none of them holds it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LAST_WORDS_S = 2.0
"""What an event stream has for its end: sse-starlette cuts off one that still runs then."""


class Stopping:
    """Ends what waits, once and for good; for one event loop."""

    def __init__(self) -> None:
        self.begun = False
        self._waits: set[asyncio.Timeout] = set()

    def begin(self) -> None:
        """End every wait now, and each later one at its first await."""
        self.begun = True
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(0)

    def late(self, waited_s: float) -> str:
        """Say by when something was awaited in vain, to end "it was not decided": a time, or this process' end."""
        return "before this page stopped" if self.begun else f"within {waited_s:g} s"

    @asynccontextmanager
    async def wait_until(self, moment: float) -> AsyncIterator[None]:
        """Raise TimeoutError in the block at that time of the loop's clock, or once the end has begun."""
        async with asyncio.timeout_at(0 if self.begun else moment) as wait:
            self._waits.add(wait)
            try:
                yield
            finally:
                self._waits.discard(wait)
