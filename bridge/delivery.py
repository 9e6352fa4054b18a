"""One delivery until its end: acknowledged with confirmation, or given back. Kept alive meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from nats.aio.msg import Msg
from nats.errors import Error

from bridge.pull import inbound

ACK_TIMEOUT_S = 2.0
"""A server that was killed in between never answers; the batch waits for this long."""


class Delivery:
    """A message in our hands."""

    def __init__(self, message: Msg, *, max_deliver: int) -> None:
        self._message = message
        self.inbound = inbound(message)
        self.last = 0 < max_deliver <= self.inbound.delivered
        """Whether the server would deliver it no more after this."""
        self.open = True
        """Whether nothing has been said to the server yet."""

    async def acknowledge(self) -> bool:
        """Acknowledge and wait for the server's word; False if it did not come, and the message comes again."""
        self.open = False
        try:
            await self._message.ack_sync(timeout=ACK_TIMEOUT_S)
        except (Error, TimeoutError, OSError):
            return False
        return True

    async def hand_back(self, delay_s: float) -> None:
        """Ask for another delivery after the delay; if that gets lost, the acknowledgement's time-out asks."""
        self.open = False
        with suppress(Error, OSError):
            await self._message.nak(delay=delay_s)

    async def still_here(self) -> None:
        """Restart the server's clock for this delivery."""
        with suppress(Error, OSError):
            await self._message.in_progress()


@asynccontextmanager
async def heartbeat(deliveries: Sequence[Delivery], *, every_s: float) -> AsyncIterator[None]:
    """Keep open deliveries ours for as long as the block lasts."""
    beating = asyncio.ensure_future(_beat(deliveries, every_s))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(deliveries: Sequence[Delivery], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        for delivery in deliveries:
            if delivery.open:
                await delivery.still_here()
