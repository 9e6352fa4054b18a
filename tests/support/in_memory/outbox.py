"""The outbox in memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from threading import Lock

from domain.event import Event
from domain.ports.clock import Clock


class MemoryOutbox:
    """Outbox over two dicts: what waits, and when each id was last put."""

    def __init__(self, *, clock: Clock, retention_s: float = inf) -> None:
        self._clock = clock
        self._retention_s = retention_s
        self._waiting: dict[str, Event] = {}
        self._put_at: dict[str, float] = {}
        self._lock = Lock()

    def pending(self, limit: int) -> tuple[Event, ...]:
        with self._lock:
            oldest_first = sorted(self._waiting.values(), key=lambda event: (event.occurred_at, event.event_id))
        return tuple(oldest_first[: max(limit, 0)])

    def count(self) -> int:
        with self._lock:
            return len(self._waiting)

    def put(self, events: Sequence[Event]) -> tuple[Event, ...]:
        with self._lock:
            self._forget_old()
            return tuple(event for event in events if self._claim(event))

    def published(self, event_ids: Sequence[str]) -> None:
        with self._lock:
            for event_id in event_ids:
                self._waiting.pop(event_id, None)

    def add(self, events: Sequence[Event]) -> None:
        """Take the events of a deliberation's entry: the entry was their claim, so no earlier put bars them."""
        with self._lock:
            self._forget_old()
            for event in events:
                self._waiting.setdefault(event.event_id, event)
                self._put_at[event.event_id] = self._clock.now()

    def _claim(self, event: Event) -> bool:
        if event.event_id in self._waiting or event.event_id in self._put_at:
            return False
        self._waiting[event.event_id] = event
        self._put_at[event.event_id] = self._clock.now()
        return True

    def _forget_old(self) -> None:
        horizon = self._clock.now() - self._retention_s
        self._put_at = {key: at for key, at in self._put_at.items() if at > horizon}
