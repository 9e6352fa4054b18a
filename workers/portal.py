"""The one event loop of a worker process, on a thread of its own.

It holds the HTTP and NATS connections. It is made at the first use in a process, so that no child inherits the
loop of the process it was forked from: that loop's thread does not exist in the child.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Thread
from typing import Any, TypeVar

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

    def start(self, function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> Future[T]:
        """Start `function(*args)` on the loop; cancelling the future cancels it."""
        return self._mine().start(function, args)

    def call(self, function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._thread: Thread | None = None
        # A loop holds what runs on it weakly.
        self._running: set[Future[Any]] = set()

    def start(self, function: Callable[..., Coroutine[Any, Any, T]], args: Sequence[object]) -> Future[T]:
        # Under the lock: what starts before `close` is cancelled by it, and nothing starts on a loop that ends.
        with self._lock:
            future = asyncio.run_coroutine_threadsafe(function(*args), self._started())
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def close(self) -> None:
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                return
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(CLOSES_WITHIN_S)
            self._loop = self._thread = None
            self._over = asyncio.Event()
            atexit.unregister(self.close)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            started: Future[asyncio.AbstractEventLoop] = Future()
            self._thread = Thread(target=asyncio.run, args=(self._serve(started),), name="portal", daemon=True)
            self._thread.start()
            self._loop = started.result()
            # A loop that still runs when the interpreter ends is torn down in no order at all.
            atexit.register(self.close)
        return self._loop

    async def _serve(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        started.set_result(asyncio.get_running_loop())
        await self._over.wait()
        for close in self._closers:
            with suppress(Exception):
                await close()
