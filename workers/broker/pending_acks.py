"""Acks and nacks that a broker that was away has still to receive; knows neither Celery nor Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PendingAcks:
    """Delivery tags of messages that are done here and still marked as unacknowledged in the broker.

    All channels of a worker process share one object; any thread may call any method.
    """

    def __init__(self) -> None:
        self.arrived = threading.Event()
        """Set while a tag is pending that no `settling` block has been handed."""
        self._lock = threading.Lock()
        self._tags: set[str] = set()

    def __bool__(self) -> bool:
        """Whether a tag is pending."""
        return bool(self.pending())

    def add(self, tag: str) -> None:
        """Keep a message's tag until the broker can remove the message."""
        with self._lock:
            self._tags.add(tag)
        self.arrived.set()

    def pending(self) -> frozenset[str]:
        """Return the tags that are pending."""
        with self._lock:
            return frozenset(self._tags)

    @contextmanager
    def settling(self) -> Iterator[frozenset[str]]:
        """Hand out all pending tags; they are pending again when the block raises."""
        self.arrived.clear()
        with self._lock:
            tags, self._tags = frozenset(self._tags), set()
        try:
            yield tags
        except BaseException:
            with self._lock:
                self._tags |= tags
            raise
