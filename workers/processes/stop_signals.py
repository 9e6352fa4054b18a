"""SIGTERM, SIGINT and SIGHUP as requests: the first to stop, each later one to kill what is still stopping."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Self

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopSignals:
    """Takes the stop signals while its `with` block, which belongs into the main thread, runs."""

    def __init__(self, *, interrupt: bool = False) -> None:
        """`interrupt`: the first signal raises KeyboardInterrupt as well."""
        self.received = False
        """A plain value: an Event's lock may be held by the very code that a signal interrupts."""
        self.kill: Callable[[], None] = lambda: None
        """Called at the second signal and each later one."""
        self._interrupt = interrupt

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._handle) for number in STOP_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            self.kill()
            return
        self.received = True
        if self._interrupt:
            raise KeyboardInterrupt
