"""A stream ends in time, so that its reader has to show again that it may read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sse_starlette import ServerSentEvent

from web.streams import until

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
    return [event.id async for event in until(told(count=count), seconds)]


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
        return len([event async for event in until(busy(), 0.2)])

    assert asyncio.run(asyncio.wait_for(play(), 60))


@pytest.mark.parametrize("count", [0, 2])
def test_one_that_its_source_ends_ends(count: int) -> None:
    async def ended() -> AsyncGenerator[ServerSentEvent, None]:
        for place in range(count):
            yield ServerSentEvent(id=str(place))

    async def play() -> int:
        return len([event async for event in until(ended(), 3600)])

    assert asyncio.run(asyncio.wait_for(play(), 60)) == count
