"""Who watches gets each event once and in order, from wherever it was cut off; all watchers cost one reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

import web.live
from domain.feed import FedEvent
from tests.support import factories as make
from tests.support.in_memory.event_feed import MemoryEventFeed
from web.live import READERS_BACK, LiveEvents

WITHIN_S = 60.0
"""For a test that would else wait for ever."""


def run(test: Callable[[MemoryEventFeed, LiveEvents], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        feed = MemoryEventFeed()
        live = LiveEvents(feed)
        async with live.running():
            await asyncio.wait_for(test(feed, live), WITHIN_S)

    asyncio.run(play())


def tell(feed: MemoryEventFeed, deliberation_id: str = "d-1") -> int:
    return feed.tell(make.progress_body(deliberation_id=deliberation_id))


def everything(event: FedEvent) -> bool:
    return True


@asynccontextmanager
async def watcher(live: LiveEvents, first: int) -> AsyncIterator[Callable[[int], Coroutine[Any, Any, list[int]]]]:
    """Give what reads so many events at least and returns their places."""
    async with aclosing(live.follow(first, everything)) as batches:  # type: ignore[type-var]

        async def read(count: int) -> list[int]:
            found: list[int] = []
            while len(found) < count:
                found += [event.sequence for event in await anext(batches)]
            return found

        yield read


def test_a_watcher_gets_what_comes() -> None:
    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        tell(feed)
        async with watcher(live, await live.position()) as read:
            told = [tell(feed) for _ in range(3)]
            assert await read(3) == told

    run(test)


@pytest.mark.parametrize("kept", [2, 5, 1000])
def test_a_watcher_that_was_cut_off_goes_on_where_it_was(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.live, "MOST_KEPT", kept)
    monkeypatch.setattr(web.live, "AT_ONCE", 2)

    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        before = [tell(feed) for _ in range(4)]
        position = await live.position()
        during = [tell(feed) for _ in range(7)]
        async with watcher(live, position) as read:
            assert await read(7) == during
        for first in range(1, during[-1] + 1):
            async with watcher(live, first) as read:
                expected = [place for place in before + during if place >= first]
                assert await read(len(expected)) == expected

    run(test)


def test_only_what_is_wanted_is_handed_on() -> None:
    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        for deliberation_id in ("d-1", "d-2", "d-1"):
            tell(feed, deliberation_id)
        batches = live.follow(1, lambda event: event.body.deliberation_id == "d-2")
        assert [event.sequence for event in await anext(batches)] == [3]

    run(test)


def test_what_is_read_back_comes_in_parts_and_never_lies_in_memory_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.live, "MOST_KEPT", 3)
    monkeypatch.setattr(web.live, "AT_ONCE", 5)

    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        stored = [tell(feed) for _ in range(32)]
        await live.position()
        parts: list[list[int]] = []
        async with aclosing(live.follow(1, everything)) as batches:  # type: ignore[type-var]
            while sum(map(len, parts)) < len(stored):
                parts.append([event.sequence for event in await anext(batches)])
        assert max(map(len, parts)) == 5
        assert [place for part in parts for place in part] == stored

    run(test)


def test_a_few_read_back_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        for _ in range(3):
            tell(feed)
        await live.position()
        asked, most = 0, 0

        async def read(first: int, most_events: int) -> tuple[FedEvent, ...]:
            nonlocal asked, most
            asked += 1
            most = max(most, asked)
            await asyncio.sleep(0)
            asked -= 1
            return await MemoryEventFeed.read(feed, first, most_events)

        monkeypatch.setattr(feed, "read", read)
        readers = [live.follow(1, everything) for _ in range(20)]
        assert len(await asyncio.gather(*(anext(reader) for reader in readers))) == 20
        assert most == READERS_BACK

    run(test)


def test_an_outage_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.live, "RETRY_S", 0.01)

    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        async with watcher(live, await live.position()) as read:
            feed.away = True
            told = [tell(feed) for _ in range(3)]
            await asyncio.sleep(0.05)
            feed.away = False
            assert await read(3) == told

    run(test)


def test_a_stream_that_was_made_anew_is_read_from_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        for _ in range(5):
            tell(feed)
        async with watcher(live, await live.position()) as read:
            feed.lose()
            told = [tell(feed), tell(feed)]
            assert await read(2) == told == [1, 3]

    run(test)


def test_fifty_watchers_cost_one_reader() -> None:
    async def test(feed: MemoryEventFeed, live: LiveEvents) -> None:
        position = await live.position()

        async def watch() -> list[int]:
            async with watcher(live, position) as read:
                return await read(10)

        watchers = [asyncio.create_task(watch()) for _ in range(50)]
        await asyncio.sleep(0)
        told = [tell(feed) for _ in range(10)]
        assert await asyncio.gather(*watchers) == [told] * 50
        assert feed.reads < 25

    run(test)
