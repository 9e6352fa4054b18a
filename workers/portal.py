"""The one event loop of a worker process, on a thread of its own.

It holds the HTTP and NATS connections. It is made at the first use in a process, so that no child inherits the
loop of the process it was forked from: that loop's thread does not exist in the child.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Lock
from typing import TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")


class Portal:
    """Runs coroutines on this process's loop from any thread but the loop's own."""

    def __init__(self) -> None:
        self._loops: dict[int, _Loop] = {}

    def start(self, function: Callable[..., Awaitable[T]], *args: object) -> Future[T]:
        """Start `function(*args)` on the loop; cancelling the future cancels it."""
        return self._mine().portal().start_task_soon(function, *args)

    def call(self, function: Callable[..., Awaitable[T]], *args: object) -> T:
        """Run `function(*args)` on the loop and return its result, or raise what it raised."""
        return self.start(function, *args).result()

    def close(self) -> None:
        """End this process's loop after what runs on it; a later call starts a new one."""
        loop = self._loops.pop(os.getpid(), None)
        if loop is not None:
            loop.close()

    def _mine(self) -> _Loop:
        # A child gets an entry, and with it a lock, of its own: one that was copied while held would never open.
        return self._loops.setdefault(os.getpid(), _Loop())


class _Loop:
    """A loop that starts when it is first asked for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def portal(self) -> BlockingPortal:
        with self._lock:
            if self._portal is None:
                self._portal = self._stack.enter_context(start_blocking_portal("asyncio", name="portal"))
            return self._portal

    def close(self) -> None:
        with self._lock:
            self._portal = None
            self._stack.close()
