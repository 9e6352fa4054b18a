"""Things made once per process: connections, threads and event loops do not survive a fork."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Calls `make` once per process, whichever thread comes first; other threads wait and get the same object."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}
        self._locks: dict[int, Lock] = {}

    def __call__(self) -> T:
        pid = os.getpid()
        if pid not in self._made:
            # A child gets a lock of its own: one that was copied while held would never open.
            with self._locks.setdefault(pid, Lock()):
                if pid not in self._made:
                    self._made[pid] = self._make()
        return self._made[pid]
