"""EventFeed over the stream of Conclave's events, read by sequence: no consumer, so that any number may read."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import get_args

from nats.aio.client import Client

from bridge.client.errors import NotAllowed
from bridge.client.news import AWAY, News
from bridge.client.stored_events import StoredEvents, body_of
from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from bridge.stored import StoredMessage
from domain.contract import DeliberationBody
from domain.errors import FeedAway
from domain.event_types import COMPLETED
from domain.feed import FedEvent

EVERY = f"{COMPLETED.partition('.')[0]}.>"
BODIES = get_args(DeliberationBody)


class NatsEventFeed:
    """EventFeed over one connection, made at the first call and kept by nats-py; for one event loop."""

    def __init__(self, options: NatsOptions) -> None:
        self._options = options
        self._connecting = asyncio.Lock()
        self._open = AsyncExitStack()
        self._events: StoredEvents | None = None
        self._news: News | None = None

    async def start(self, since: float | None = None) -> int:
        events = await self._found()
        try:
            return await (events.end() if since is None else events.since(since))
        except AWAY as error:
            raise FeedAway(f"JetStream does not answer: {error or 'time-out'}") from error

    async def read(self, first: int, most: int) -> tuple[FedEvent, ...]:
        events = await self._found()
        found: list[FedEvent] = []
        try:
            while len(found) < most and (stored := await events.next(EVERY, first)) is not None:
                first = stored.sequence + 1
                found += _fed(stored)
        except AWAY as error:
            raise FeedAway(f"JetStream does not answer: {error or 'time-out'}") from error
        return tuple(found)

    async def wait(self) -> None:
        await self._found()
        assert self._news is not None
        await self._news.wait()

    async def close(self) -> None:
        """End the connection; a later call would make another."""
        self._events = None
        await self._open.aclose()

    async def _found(self) -> StoredEvents:
        async with self._connecting:
            if self._events is None:
                try:
                    self._events = await self._connected()
                except (NatsUnreachable, NotAllowed, *AWAY) as error:
                    await self._open.aclose()
                    raise FeedAway(str(error) or "NATS does not answer") from error
            return self._events

    async def _connected(self) -> StoredEvents:
        client = await connect(self._options)
        self._open.push_async_callback(_closed, client)
        events = await StoredEvents.find(client)
        self._news = await self._open.enter_async_context(News(client, [EVERY]))
        return events


def _fed(stored: StoredMessage) -> list[FedEvent]:
    body = body_of(stored)
    return [FedEvent(sequence=stored.sequence, body=body)] if isinstance(body, BODIES) else []


async def _closed(client: Client) -> None:
    with suppress(*AWAY):
        await client.close()
