"""What a broker that was away is still owed; knows neither Celery nor Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PendingAcks:
    """Delivery tags of messages that were dealt with here but are still marked as unacknowledged there.

    One for all channels of a worker process; any thread may call any method.
    """

    def __init__(self) -> None:
        self.incurred = threading.Event()
        """Set while something is owed that nobody has taken up yet."""
        self._lock = threading.Lock()
        self._owed: set[str] = set()

    def __bool__(self) -> bool:
        """Whether anything is owed."""
        return bool(self.owed())

    def owe(self, tag: str) -> None:
        """Owe the removal of a message."""
        with self._lock:
            self._owed.add(tag)
        self.incurred.set()

    def owed(self) -> frozenset[str]:
        """Return the tags of all messages whose removal is owed."""
        with self._lock:
            return frozenset(self._owed)

    @contextmanager
    def paying(self) -> Iterator[frozenset[str]]:
        """Hand out all that is owed; it is owed again when the block raises."""
        self.incurred.clear()
        with self._lock:
            paid, self._owed = frozenset(self._owed), set()
        try:
            yield paid
        except BaseException:
            with self._lock:
                self._owed |= paid
            raise
