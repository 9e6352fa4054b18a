"""One bridge's end of a durable pull consumer: a fetch returns what is pending at once, a close naks the rest.

nats-py's own fetch waits its whole time-out to fill a batch once a first message has come, and takes any message
with a `Status` header for one of the server's; hence this one. Protocol: NATS ADR-13 (pull consumers).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, Error

from bridge.delivery import Delivery, is_delivery
from bridge.stored import API

GRACE_S = 0.5
"""How long after a request's end the server's status about it is awaited."""
NANOSECONDS = 1_000_000_000
PAUSE_S = 0.1
"""Between two tries while the connection or the consumer is not ready."""
HEARTBEAT = "100"
EXHAUSTED = ("404", "408")
"""Statuses that end a request in the ordinary way: no message, time over."""
CONFLICT = "409"
"""Ends a request for a reason that may be gone at the next (leader change, limits), or with the consumer."""


class ConsumerGone(Exception):
    """The durable consumer was deleted, or JetStream is away; open it again."""


class Pull:
    """Fetches from one durable; not for several tasks at once."""

    def __init__(
        self,
        client: Client,
        *,
        stream: str,
        durable: str,
        wait_s: float,
        max_bytes: int,
        max_deliver: int,
        api: str = API,
    ) -> None:
        self._client = client
        self._subject = f"{api}.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._requests = 0
        self._wait_s = wait_s
        self._max_bytes = max_bytes
        self._max_deliver = max_deliver
        self._received: asyncio.Queue[Msg] = asyncio.Queue()
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Subscribe to deliveries; none comes before the first fetch."""
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._receive)

    async def fetch(self, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries as soon as there is one, or none after the wait.

        Let it finish: the deliveries of a cancelled fetch come again only after the ack wait.
        Raises ConsumerGone, and nats' ConnectionClosedError.
        """
        if not self._client.is_connected:
            # Requests made now would pile up and be answered all at once after the reconnection.
            return await self._disconnected()
        received = self._take_received(limit)
        if received:
            return received
        first = await self._first()
        if first is None:
            return []
        return [first, *await self._rest(limit - 1)] if limit > 1 else [first]

    async def close(self) -> None:
        """Unsubscribe, and nak what was delivered and not fetched."""
        if self._subscription is None or self._client.is_closed:
            return
        with suppress(Error, TimeoutError, OSError):
            await self._subscription.unsubscribe()
            await self._client.flush(timeout=2)
            for delivery in self._take_received(self._received.qsize()):
                await delivery.nak(0.0)
            await self._client.flush(timeout=2)

    async def _first(self) -> Delivery | None:
        request = await self._request({"batch": 1, "expires": int(self._wait_s * NANOSECONDS)})
        return await self._next(request, within=self._wait_s + GRACE_S)

    async def _rest(self, limit: int) -> list[Delivery]:
        request = await self._request({"batch": limit, "no_wait": True, "max_bytes": self._max_bytes})
        deliveries: list[Delivery] = []
        while len(deliveries) < limit:
            delivery = await self._next(request, within=GRACE_S)
            if delivery is None:
                break
            deliveries.append(delivery)
        return deliveries

    async def _request(self, options: Mapping[str, int]) -> str:
        """Send a pull request and return the subject of the server's statuses about it."""
        self._requests += 1
        request = f"{self._inbox}.{self._requests}"
        await self._client.publish(self._subject, json.dumps(options).encode(), reply=request)
        return request

    async def _next(self, request: str, *, within: float) -> Delivery | None:
        """Return the next delivery, whichever request it answers; None once the given request is over."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await self._received.get()
            except TimeoutError:
                return None
            if is_delivery(message):
                return Delivery(message, max_deliver=self._max_deliver)
            if message.subject == request and await _ends(message):
                return None

    async def _disconnected(self) -> list[Delivery]:
        if self._client.is_closed:
            raise ConnectionClosedError
        await asyncio.sleep(PAUSE_S)
        return []

    async def _receive(self, message: Msg) -> None:
        self._received.put_nowait(message)

    def _take_received(self, limit: int) -> list[Delivery]:
        deliveries: list[Delivery] = []
        while len(deliveries) < limit and not self._received.empty():
            message = self._received.get_nowait()
            if is_delivery(message):
                deliveries.append(Delivery(message, max_deliver=self._max_deliver))
        return deliveries


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
