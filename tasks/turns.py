"""Runs of one kind a few at a time: a burst goes through as a queue, not as a crowd."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets a few blocks of a process run at once; the others wait for one to end."""

    def __init__(self, at_once: int, *, patience_s: float) -> None:
        """`patience_s`: how long a block waits, so that what hangs in its turn holds up no other for longer."""
        self._free = threading.Semaphore(at_once)
        self._patience_s = patience_s

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Yield whether the block has its turn; one whose patience ended runs without."""
        held = self._free.acquire(timeout=self._patience_s)
        try:
            yield held
        finally:
            if held:
                self._free.release()
