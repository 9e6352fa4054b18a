"""One bridge's end of a durable pull consumer: what waits is fetched at once, what is not taken is handed back.

nats-py's own fetch waits its whole time-out to fill a batch once a first message has come, and takes any message
with a `Status` header for one of the server's; hence this one. Protocol: NATS ADR-13 (pull consumers).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, Error

from bridge.message import InboundMessage

GRACE_S = 0.5
"""How long after a request's end the server's word for it is awaited."""
NANOSECONDS = 1_000_000_000
PAUSE_S = 0.1
"""Between two tries while the connection or the consumer is not ready."""
HEARTBEAT = "100"
EXHAUSTED = ("404", "408")
"""Statuses that end a request in the ordinary way: nothing there, time over."""
CONFLICT = "409"
"""Ends a request for a reason that may be gone at the next (leader change, limits), or with the consumer."""


class ConsumerGone(Exception):
    """The durable consumer was deleted, or JetStream is away; open it again."""


class Pull:
    """Fetches from one durable; not for several tasks at once."""

    def __init__(self, client: Client, *, stream: str, durable: str, wait_s: float, max_bytes: int) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._asked = 0
        self._wait_s = wait_s
        self._max_bytes = max_bytes
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Listen for deliveries; nothing comes before the first fetch."""
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._arrival)

    async def fetch(self, limit: int) -> list[Msg]:
        """Return up to `limit` messages as soon as there is one, or none after the wait.

        Let it finish: what a cancelled fetch held is delivered again only after the acknowledgement's time-out.
        Raises ConsumerGone, and nats' ConnectionClosedError.
        """
        if not self._client.is_connected:
            # Requests made now would pile up and be answered all at once after the reconnection.
            return await self._disconnected()
        waiting = self._take_waiting(limit)
        if waiting:
            return waiting
        first = await self._first()
        if first is None:
            return []
        return [first, *await self._rest(limit - 1)] if limit > 1 else [first]

    async def close(self) -> None:
        """Stop listening and give back at once what was delivered and not fetched."""
        if self._subscription is None or self._client.is_closed:
            return
        with suppress(Error, TimeoutError, OSError):
            await self._subscription.unsubscribe()
            await self._client.flush(timeout=2)
            for message in self._take_waiting(self._arrived.qsize()):
                await message.nak()
            await self._client.flush(timeout=2)

    async def _first(self) -> Msg | None:
        request = await self._ask({"batch": 1, "expires": int(self._wait_s * NANOSECONDS)})
        return await self._next(request, within=self._wait_s + GRACE_S)

    async def _rest(self, limit: int) -> list[Msg]:
        request = await self._ask({"batch": limit, "no_wait": True, "max_bytes": self._max_bytes})
        messages: list[Msg] = []
        while len(messages) < limit:
            message = await self._next(request, within=GRACE_S)
            if message is None:
                break
            messages.append(message)
        return messages

    async def _ask(self, what: Mapping[str, Any]) -> str:
        """Send a pull request and return the subject on which the server speaks of it."""
        self._asked += 1
        request = f"{self._inbox}.{self._asked}"
        await self._client.publish(self._subject, json.dumps(what).encode(), reply=request)
        return request

    async def _next(self, request: str, *, within: float) -> Msg | None:
        """Return the next delivery, whichever request it answers; None once the given request is over."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await self._arrived.get()
            except TimeoutError:
                return None
            if is_delivery(message):
                return message
            if message.subject == request and await _ends(message):
                return None

    async def _disconnected(self) -> list[Msg]:
        if self._client.is_closed:
            raise ConnectionClosedError
        await asyncio.sleep(PAUSE_S)
        return []

    async def _arrival(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    def _take_waiting(self, limit: int) -> list[Msg]:
        messages: list[Msg] = []
        while len(messages) < limit and not self._arrived.empty():
            message = self._arrived.get_nowait()
            if is_delivery(message):
                messages.append(message)
        return messages


def is_delivery(message: Msg) -> bool:
    """Whether this is a message of the stream; what the server says about a request can't be acknowledged."""
    return message.reply.startswith("$JS.ACK.")


def inbound(message: Msg) -> InboundMessage:
    """Read a delivery. Raises nats' NotJSMessageError for anything else."""
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


async def _ends(status: Msg) -> bool:
    """Whether a status ends its request; raises ConsumerGone if it ends the consumer."""
    headers = status.headers or {}
    code = headers.get("Status", "")
    description = headers.get("Description", "").strip()
    if code == HEARTBEAT:
        return False
    if code in EXHAUSTED or "MaxBytes" in description:
        return True
    if code != CONFLICT or "Consumer Deleted" in description:
        raise ConsumerGone(f"the consumer answers {code} {description}")
    await asyncio.sleep(PAUSE_S)
    return True
