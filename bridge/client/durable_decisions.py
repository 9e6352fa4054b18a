"""Decisions from a durable consumer: each until its reader goes on, over whatever interrupts the connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from bridge.client.errors import NotAllowed
from bridge.client.news import AWAY, wait_while_away
from bridge.client.stored_events import StoredEvents
from bridge.consumers import Consumer, ConsumerRefused, Consumers, NewConsumer
from bridge.delivery import Delivery, heartbeat
from bridge.outgoing import MAX_EVENT_BYTES, event_in
from bridge.pull import ConsumerGone, Pull
from domain.contract import CompletedBody

WAIT_S = 5.0
"""How long one pull request waits for a message."""
UNANSWERED = 20
"""Requests in a row that nothing answers while the connection stands: longer than JetStream takes to start."""


async def durable_decisions(
    client: Client, events: StoredEvents, name: str, *, ack_wait_s: float
) -> AsyncGenerator[CompletedBody, None]:
    """Yield decisions for ever; a delivery is acknowledged when its reader goes on. Raises NotAllowed."""
    new = _described(name, ack_wait_s)
    acknowledged = _Acknowledged()
    while True:
        consumer = await _ensured(client, events, new)
        pull = Pull(
            client,
            stream=events.stream,
            durable=consumer.name,
            wait_s=WAIT_S,
            max_bytes=MAX_EVENT_BYTES,
            max_deliver=consumer.max_deliver,
            api=events.api,
        )
        try:
            await pull.open()
            while True:
                for delivery in await pull.fetch(1):
                    body = event_in(delivery.inbound)
                    if isinstance(body, CompletedBody) and not acknowledged.before(delivery):
                        async with _held(delivery, consumer.ack_wait_s):
                            yield body
                    await acknowledged.now(delivery)
        except (*AWAY, ConsumerGone):
            await wait_while_away(client)
        finally:
            await pull.close()


def _described(name: str, ack_wait_s: float) -> NewConsumer:
    try:
        return NewConsumer(name=name, ack_wait_s=ack_wait_s)
    except ValidationError:
        raise NotAllowed(
            f"{name!r} can't name a durable with an ack wait of {ack_wait_s:g} s; take letters, digits, - and _"
        ) from None


async def _ensured(client: Client, events: StoredEvents, new: NewConsumer) -> Consumer:
    """Return the consumer, made if it is missing; waits while NATS is away. Raises NotAllowed, NotConnected."""
    consumers = Consumers(client, events.stream, api=events.api)
    unanswered = 0
    while True:
        try:
            return await consumers.find(new.name) or await consumers.create(new)
        except ConsumerRefused as refused:
            raise NotAllowed(str(refused)) from None
        except NotFoundError:
            # What answers nothing is a JetStream that starts, or one that this login may not ask about that name.
            unanswered += client.is_connected
            if unanswered > UNANSWERED:
                raise NotAllowed(
                    f"this login may not read a durable {new.name} of {events.stream}; the shipped `client` may"
                    " read one named `client`, which `conclave consumer create client` makes"
                ) from None
        except AWAY:
            pass
        await wait_while_away(client)


@asynccontextmanager
async def _held(delivery: Delivery, ack_wait_s: float) -> AsyncIterator[None]:
    """Keep the delivery with its reader; what the reader leaves is delivered again at once."""
    try:
        async with heartbeat([delivery], every_s=ack_wait_s / 3):
            yield
    except BaseException:
        await delivery.nak(0.0)
        raise


class _Acknowledged:
    """Knows whose ack the server did not confirm: these come again, and their reader has had them."""

    def __init__(self) -> None:
        self._unconfirmed: set[int] = set()

    def before(self, delivery: Delivery) -> bool:
        return delivery.inbound.sequence in self._unconfirmed

    async def now(self, delivery: Delivery) -> None:
        if await delivery.acknowledge():
            self._unconfirmed.discard(delivery.inbound.sequence)
        else:
            self._unconfirmed.add(delivery.inbound.sequence)
