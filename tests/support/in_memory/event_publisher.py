"""EventPublisher in memory: for tests, and for watching in one process what would be published."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from domain.event import Event


class MemoryEventPublisher:
    """Keeps what was published and told, in order, each id once; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, Event] = {}

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything a consumer would have seen, in order."""
        with self._lock:
            return tuple(self._events.values())

    def publish(self, events: Sequence[Event]) -> None:
        with self._lock:
            for event in events:
                self._events.setdefault(event.event_id, event)

    def publish_progress(self, events: Sequence[Event]) -> None:
        self.publish(events)
