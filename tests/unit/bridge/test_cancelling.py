"""A task that swallows a cancellation, as asyncio.wait_for does up to Python 3.11, ends all the same."""

from __future__ import annotations

import asyncio

from bridge.bridge import run_until_stopped
from bridge.cancelling import cancel_all


async def stubborn(cancellations: int) -> None:
    for _ in range(cancellations):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(60)


async def failing() -> None:
    raise ValueError("on its way out")


def test_everything_ends_however_often_it_must_be_cancelled() -> None:
    async def scenario() -> list[bool]:
        tasks = [asyncio.ensure_future(one) for one in (stubborn(0), stubborn(2), failing())]
        await asyncio.sleep(0)
        await cancel_all(tasks)
        return [task.done() for task in tasks]

    assert asyncio.run(asyncio.wait_for(scenario(), 30)) == [True] * 3


def test_a_bridge_stops_whatever_its_watch_makes_of_a_cancellation() -> None:
    async def scenario() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, stop.set)

        async def work() -> None:
            await stop.wait()

        await run_until_stopped([work()], beside=[stubborn(1)], stop=stop, drain_s=5)

    asyncio.run(asyncio.wait_for(scenario(), 30))
