"""Outcomes of calls on the event loop, handed to a thread as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from queue import SimpleQueue

from domain.chat import ChatOutcome
from workers.portal import Portal

Call = Callable[[], Awaitable[ChatOutcome]]


class PendingCalls(Iterator[ChatOutcome]):
    """Starts all calls when made and yields their outcomes in the order they come; `close` cancels what runs."""

    def __init__(self, portal: Portal, calls: Sequence[Call], settled: Sequence[ChatOutcome] = ()) -> None:
        """`settled`: outcomes known without a call; they come first."""
        self._arrived: SimpleQueue[ChatOutcome | Future[None]] = SimpleQueue()
        for outcome in settled:
            self._arrived.put(outcome)
        # The calls must not hold this object: dropping it is how a reader that left early cancels them.
        self._running = portal.start(_run, calls, self._arrived.put)
        self._running.add_done_callback(self._arrived.put)

    def __next__(self) -> ChatOutcome:
        arrived = self._arrived.get()
        if not isinstance(arrived, Future):
            return arrived
        self._arrived.put(arrived)
        with suppress(CancelledError):
            arrived.result()
        raise StopIteration

    def close(self) -> None:
        """Cancel the calls that still run; nothing more comes."""
        self._running.cancel()

    def __del__(self) -> None:
        self.close()


async def _run(calls: Sequence[Call], deliver: Callable[[ChatOutcome], None]) -> None:
    async def settle(call: Call) -> None:
        deliver(await call())

    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(settle(call))
