"""Long waits end with the process, whether they had begun by then or not."""

from __future__ import annotations

import asyncio

import pytest

from web.stopping import Stopping


async def wait(stopping: Stopping, seconds: float) -> str:
    try:
        async with stopping.wait_until(asyncio.get_running_loop().time() + seconds):
            await asyncio.Event().wait()
    except TimeoutError:
        return "over"
    return "?"


@pytest.mark.parametrize("number", [1, 3])
def test_waits_that_had_begun_end(number: int) -> None:
    async def play() -> list[str]:
        stopping = Stopping()
        waits = [asyncio.create_task(wait(stopping, 3600)) for _ in range(number)]
        await asyncio.sleep(0)
        stopping.begin()
        return await asyncio.gather(*waits)

    assert asyncio.run(asyncio.wait_for(play(), 60)) == ["over"] * number


def test_one_that_comes_later_ends_too_and_one_that_is_over_is_no_trouble() -> None:
    async def play() -> list[str]:
        stopping = Stopping()
        first = await wait(stopping, 0)
        stopping.begin()
        return [first, await wait(stopping, 3600)]

    assert asyncio.run(asyncio.wait_for(play(), 60)) == ["over", "over"]


def test_what_comes_in_time_is_had() -> None:
    async def play() -> str:
        stopping = Stopping()
        async with stopping.wait_until(asyncio.get_running_loop().time() + 3600):
            await asyncio.sleep(0)
        stopping.begin()
        return "had"

    assert asyncio.run(play()) == "had"
