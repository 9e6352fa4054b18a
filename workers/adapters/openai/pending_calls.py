"""Outcomes of calls on the event loop, handed to a thread as they come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from queue import SimpleQueue

from domain.chat import ChatOutcome
from workers.portal import Portal

Call = Callable[[], Awaitable[ChatOutcome]]
Group = list[ChatOutcome]

TOGETHER_S = 0.01
"""For how long an outcome waits for others: the ballots of a round end within milliseconds of one another."""


class PendingCalls(Iterator[ChatOutcome]):
    """Starts all calls when made and yields their outcomes in the order they come; `close` cancels what runs."""

    def __init__(self, portal: Portal, calls: Sequence[Call], settled: Sequence[ChatOutcome] = ()) -> None:
        """`settled`: outcomes known without a call; they come first."""
        self._ready = deque(settled)
        self._groups: SimpleQueue[Group | Future[None]] = SimpleQueue()
        # The calls must not hold this object: dropping it is how a reader that left early cancels them.
        self._running = portal.start(_run, calls, self._groups.put)
        self._running.add_done_callback(self._groups.put)

    def __next__(self) -> ChatOutcome:
        while not self._ready:
            group = self._groups.get()
            if isinstance(group, Future):
                self._groups.put(group)
                with suppress(CancelledError):
                    group.result()
                raise StopIteration
            self._ready += group
        return self._ready.popleft()

    def arrived(self) -> Group:
        """Return the outcomes that came together with the last one, and are not to be yielded then."""
        taken = list(self._ready)
        self._ready.clear()
        return taken

    def close(self) -> None:
        """Cancel the calls that still run; nothing more comes."""
        self._running.cancel()

    def __del__(self) -> None:
        self.close()


async def _run(calls: Sequence[Call], deliver: Callable[[Group], None]) -> None:
    together, left = _Together(deliver), len(calls)

    async def settle(call: Call) -> None:
        nonlocal left
        outcome = await call()
        left -= 1
        together.add(outcome, last=left == 0)

    try:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(settle(call))
    finally:
        together.deliver()


class _Together:
    """Outcomes that have come within a moment; waking the reader's thread for each costs more than the moment."""

    def __init__(self, deliver: Callable[[Group], None]) -> None:
        self._deliver = deliver
        self._group: Group = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, outcome: ChatOutcome, *, last: bool) -> None:
        """Add an outcome; the last one of all is not to wait, nor are those before it."""
        self._group.append(outcome)
        if last:
            self.deliver()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TOGETHER_S, self.deliver)

    def deliver(self) -> None:
        """Hand over what has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._group:
            self._deliver(self._group)
            self._group = []
