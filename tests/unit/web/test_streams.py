"""A stream ends in time, so that its reader shows again that it may read, and begins where its page does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import pytest
from sse_starlette import ServerSentEvent

from tests.support import factories as make
from tests.support.in_memory.event_feed import MemoryEventFeed
from web.live import LiveEvents
from web.stopping import Stopping
from web.streams import changes, go_on, until

closed: list[str] = []


async def told(*, count: int) -> AsyncGenerator[ServerSentEvent, None]:
    """Tell some events, then nothing for ever."""
    try:
        for place in range(count):
            yield ServerSentEvent(id=str(place))
        await asyncio.Event().wait()
    finally:
        closed.append("")


async def read(seconds: float, count: int) -> list[str | None]:
    return [event.id async for event in until(told(count=count), seconds, Stopping())]


def test_a_quiet_stream_ends_and_is_closed() -> None:
    closed.clear()
    told_in_time = asyncio.run(asyncio.wait_for(read(0.5, 3), 60))
    assert told_in_time == ["0", "1", "2"][: len(told_in_time)]  # a slow machine reads fewer
    assert closed


def test_a_busy_stream_ends_too() -> None:
    async def busy() -> AsyncGenerator[ServerSentEvent, None]:
        while True:
            await asyncio.sleep(0)
            yield ServerSentEvent()

    async def play() -> int:
        return len([event async for event in until(busy(), 0.2, Stopping())])

    assert asyncio.run(asyncio.wait_for(play(), 60))


@pytest.mark.parametrize("count", [0, 2])
def test_one_that_its_source_ends_ends(count: int) -> None:
    async def ended() -> AsyncGenerator[ServerSentEvent, None]:
        for place in range(count):
            yield ServerSentEvent(id=str(place))

    async def play() -> int:
        return len([event async for event in until(ended(), 3600, Stopping())])

    assert asyncio.run(asyncio.wait_for(play(), 60)) == count


def far_back(play: Callable[[MemoryEventFeed, LiveEvents], Coroutine[Any, Any, None]]) -> None:
    """Play with a stream of which only the newest event is in memory."""

    async def run() -> None:
        feed = MemoryEventFeed()
        live = LiveEvents(feed)
        for _ in range(500):
            feed.tell(make.progress_body())
        async with live.running():
            await live.position()
            feed.reads = 0
            await asyncio.wait_for(play(feed, live), 60)

    asyncio.run(run())


@pytest.mark.parametrize("place", [1, 500, 10**18])
def test_a_page_that_was_away_for_long_has_nothing_read_back(place: int) -> None:
    async def play(feed: MemoryEventFeed, live: LiveEvents) -> None:
        told_changes = changes(live, place, lambda event: True)
        assert (await anext(told_changes)).id == str(await live.position() - 1)
        latest = feed.tell(make.progress_body())
        assert (await anext(told_changes)).id == str(latest)
        assert feed.reads <= 2  # the one reader's, for all who watch

    far_back(play)


@pytest.mark.parametrize(("place", "first"), [(None, 801), (1, 801), (801, 801), (851, 851), (10**18, 801)])
def test_nobody_goes_on_before_its_deliberation_began(place: int | None, first: int) -> None:
    async def play(feed: MemoryEventFeed, live: LiveEvents) -> None:
        assert await go_on(live, place, 801) == first

    far_back(play)


def test_a_stream_ends_when_the_page_is_stopped() -> None:
    async def play() -> int:
        stopping = Stopping()
        found = 0
        async for _ in until(told(count=2), 3600, stopping):
            found += 1
            if found == 2:
                asyncio.get_running_loop().call_soon(stopping.begin)
        return found

    assert asyncio.run(asyncio.wait_for(play(), 60)) == 2
