"""One delivery of a message, from what the client library hands over until its ack or nak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from nats.aio.msg import Msg
from nats.errors import Error

from bridge.cancelling import cancel_all
from bridge.message import InboundMessage

ACK_TIMEOUT_S = 2.0
"""A server that was killed in between never answers; the batch waits for this long."""


class Delivery:
    """A delivered message, and what the server is told about it."""

    def __init__(self, message: Msg, *, max_deliver: int) -> None:
        """Read the delivery; `max_deliver` is the consumer's, 0 for no limit. Raises nats' NotJSMessageError."""
        self._message = message
        self.inbound = _inbound(message)
        self.last = 0 < max_deliver <= self.inbound.delivered
        """Whether the server would deliver it no more after this."""
        self.open = True
        """Whether the server has been sent neither ack nor nak yet."""

    async def acknowledge(self) -> bool:
        """Ack and wait for the server's confirmation; False if it did not come, and the message comes again."""
        self.open = False
        try:
            await self._message.ack_sync(timeout=ACK_TIMEOUT_S)
        except (Error, TimeoutError, OSError):
            return False
        return True

    async def nak(self, delay_s: float) -> None:
        """Ask for another delivery after the delay; if that gets lost, the end of the ack wait brings one."""
        self.open = False
        with suppress(Error, OSError):
            await self._message.nak(delay=delay_s)

    async def extend_ack_wait(self) -> None:
        """Have the server begin the ack wait of this delivery anew."""
        with suppress(Error, OSError):
            await self._message.in_progress()


def is_delivery(message: Msg) -> bool:
    """Whether this is a message of the stream; a status of the server about a request can't be acknowledged."""
    return message.reply.startswith("$JS.ACK.")


@asynccontextmanager
async def heartbeat(deliveries: Sequence[Delivery], *, every_s: float) -> AsyncIterator[None]:
    """Keep the server from delivering open deliveries again, for as long as the block lasts."""
    beating = asyncio.ensure_future(_beat(deliveries, every_s))
    try:
        yield
    finally:
        await cancel_all([beating])


async def _beat(deliveries: Sequence[Delivery], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        for delivery in deliveries:
            if delivery.open:
                await delivery.extend_ack_wait()


def _inbound(message: Msg) -> InboundMessage:
    metadata = message.metadata
    return InboundMessage(
        subject=message.subject,
        data=message.data,
        headers={str(name): str(value) for name, value in (message.headers or {}).items()},
        stream=metadata.stream,
        sequence=metadata.sequence.stream,
        delivered=metadata.num_delivered,
        received_at=metadata.timestamp.timestamp(),
    )
