"""What every feed of events does, in memory and over JetStream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import pytest

from bridge.event_feed import NatsEventFeed
from bridge.event_publisher import NatsEventPublisher
from bridge.nats_connection import connect
from bridge.options import NatsOptions, StreamLimits
from bridge.streams import ORCHESTRATOR, ensure
from domain.contract import DeliberationBody
from domain.errors import FeedAway
from domain.feed import FedEvent
from domain.ports.event_feed import EventFeed
from tests.support.factories import event, fresh, progress_body
from tests.support.in_memory.event_feed import MemoryEventFeed
from tests.support.servers import NatsServer
from workers.portal import Portal
from workers.processes.ports import free_port

T = TypeVar("T")
WITHIN_S = 60.0


@dataclass
class Newsroom:
    """Tells events, and plays what a reader does with a feed of them."""

    tell: Callable[[DeliberationBody], object]
    play: Callable[[Callable[[EventFeed], Awaitable[T]]], T]


@pytest.fixture(params=["memory", "nats"])
def newsroom(request: pytest.FixtureRequest) -> Iterator[Newsroom]:
    if request.param == "memory":
        feed = MemoryEventFeed()
        yield Newsroom(feed.tell, lambda read: asyncio.run(_within(read(feed))))
        return
    server: NatsServer = request.getfixturevalue("nats_server")
    portal = Portal()
    try:
        yield _over_nats(NatsOptions(url=(server.url,)), portal)
    finally:
        portal.close()


def _over_nats(options: NatsOptions, portal: Portal) -> Newsroom:
    publisher = NatsEventPublisher(options, portal)
    portal.call(_with_stream, options)

    async def over(read: Callable[[EventFeed], Awaitable[T]]) -> T:
        feed = NatsEventFeed(options)
        try:
            return await _within(read(feed))
        finally:
            await feed.close()

    return Newsroom(lambda body: publisher.publish([event(body=body)]), lambda read: asyncio.run(over(read)))


async def _with_stream(options: NatsOptions) -> None:
    client = await connect(options)
    await ensure(client.jetstream(), ORCHESTRATOR, StreamLimits())
    await client.close()


async def _within(awaited: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaited, WITHIN_S)


def about(deliberation_id: str, events: tuple[FedEvent, ...]) -> list[str]:
    return [getattr(event.body, "what", "") for event in events if event.body.deliberation_id == deliberation_id]


def test_what_was_told_is_read_in_order_and_from_any_place(newsroom: Newsroom) -> None:
    deliberation_id = fresh("d")

    async def end(feed: EventFeed) -> int:
        return await feed.start()

    first = newsroom.play(end)
    for number in range(12):
        newsroom.tell(progress_body(deliberation_id=deliberation_id, what=str(number)))

    async def read(feed: EventFeed) -> None:
        events = await feed.read(first, 1000)
        assert about(deliberation_id, events) == [str(number) for number in range(12)]
        places = [event.sequence for event in events]
        assert places == sorted(set(places))
        assert first <= places[0]
        assert places[-1] < await feed.start()
        assert await feed.read(first, 5) == events[:5]
        assert await feed.read(places[5], 1000) == events[5:]
        assert await feed.read(places[5] + 1, 1000) == events[6:]
        assert await feed.read(places[-1] + 1, 1000) == ()

    newsroom.play(read)


def test_a_moment_has_a_place(newsroom: Newsroom) -> None:
    newsroom.tell(progress_body(deliberation_id=fresh("d")))

    async def read(feed: EventFeed) -> None:
        assert await feed.start(0.0) <= (await feed.read(1, 1))[0].sequence
        assert await feed.start(1e11) == await feed.start()

    newsroom.play(read)


def test_who_waits_hears_of_what_comes(newsroom: Newsroom) -> None:
    deliberation_id = fresh("d")

    async def read(feed: EventFeed) -> None:
        first = await feed.start()
        await asyncio.to_thread(newsroom.tell, progress_body(deliberation_id=deliberation_id, what="x"))
        while not (events := await feed.read(first, 10)):
            await feed.wait()
        assert about(deliberation_id, events) == ["x"]

    newsroom.play(read)


def test_a_server_that_is_away_is_said_to_be(guarded_port: int) -> None:
    async def read() -> None:
        feed = NatsEventFeed(NatsOptions(url=(f"nats://127.0.0.1:{guarded_port}",), connect_timeout_s=2.0))
        for _ in range(2):
            with pytest.raises(FeedAway, match=str(guarded_port)):
                await feed.start()
        with suppress(FeedAway):
            await feed.close()

    asyncio.run(_within(read()))


@pytest.fixture
def guarded_port() -> int:
    return free_port()
