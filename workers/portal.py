"""The one event loop of a worker process, on a thread of its own.

It holds the HTTP and NATS connections. It is made at the first use in a process, so that no child inherits the
loop of the process it was forked from: that loop's thread does not exist in the child.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Thread
from typing import TypeVar

import anyio
from anyio.from_thread import BlockingPortal

T = TypeVar("T")

CLOSES_WITHIN_S = 5.0


class Portal:
    """Runs coroutines on this process's loop from any thread but the loop's own."""

    def __init__(self) -> None:
        self._loops: dict[int, _Loop] = {}
        self._closers: list[Callable[[], Awaitable[object]]] = []

    def before_close(self, function: Callable[[], Awaitable[object]]) -> None:
        """Have `function()` awaited on every loop before it ends; for connections that live there."""
        self._closers.append(function)

    def start(self, function: Callable[..., Awaitable[T]], *args: object) -> Future[T]:
        """Start `function(*args)` on the loop; cancelling the future cancels it."""
        return self._mine().portal().start_task_soon(function, *args)

    def call(self, function: Callable[..., Awaitable[T]], *args: object) -> T:
        """Run `function(*args)` on the loop and return its result, or raise what it raised."""
        return self.start(function, *args).result()

    def close(self) -> None:
        """Cancel what runs on this process's loop and end it; a later call starts a new one."""
        loop = self._loops.pop(os.getpid(), None)
        if loop is not None:
            loop.close()

    def _mine(self) -> _Loop:
        # A child gets an entry, and with it a lock, of its own: one that was copied while held would never open.
        return self._loops.setdefault(os.getpid(), _Loop(self._closers))


class _Loop:
    """A loop that starts when it is first asked for, and ends with its process at the latest."""

    def __init__(self, closers: Sequence[Callable[[], Awaitable[object]]]) -> None:
        self._closers = closers
        self._lock = Lock()
        self._portal: BlockingPortal | None = None
        self._thread: Thread | None = None

    def portal(self) -> BlockingPortal:
        with self._lock:
            if self._portal is None:
                # anyio's own start_blocking_portal waits for its thread when it is collected: a process that
                # exits without closing it, or a fork of it, would hang there.
                running: Future[BlockingPortal] = Future()
                self._thread = Thread(target=anyio.run, args=(_serve, running), name="portal", daemon=True)
                self._thread.start()
                self._portal = running.result()
                # A loop that still runs when the interpreter ends is torn down in no order at all.
                atexit.register(self.close)
            return self._portal

    def close(self) -> None:
        with self._lock:
            if self._portal is None or self._thread is None or not self._thread.is_alive():
                return
            self._portal.start_task_soon(_end, self._portal, self._closers)
            self._thread.join(CLOSES_WITHIN_S)
            self._portal = self._thread = None
            atexit.unregister(self.close)


async def _end(portal: BlockingPortal, closers: Sequence[Callable[[], Awaitable[object]]]) -> None:
    for close in closers:
        with suppress(Exception):
            await close()
    await portal.stop(True)


async def _serve(running: Future[BlockingPortal]) -> None:
    async with BlockingPortal() as portal:
        running.set_result(portal)
        await portal.sleep_until_stopped()
