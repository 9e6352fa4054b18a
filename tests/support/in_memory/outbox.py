"""The outbox in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from threading import Lock

from domain.event import Event
from domain.ports.clock import Clock


class MemoryOutbox:
    """Outbox over two dicts: the pending events, and when each id was last put."""

    def __init__(self, *, clock: Clock, retention_s: float = inf) -> None:
        self._clock = clock
        self._retention_s = retention_s
        self._pending: dict[str, Event] = {}
        self._put_at: dict[str, float] = {}
        self._postponed: dict[str, float] = {}
        self._lock = Lock()

    def pending(self, limit: int) -> tuple[Event, ...]:
        with self._lock:
            oldest_first = sorted(self._pending.values(), key=lambda event: (event.occurred_at, event.event_id))
        return tuple(oldest_first[: max(limit, 0)])

    def due(self, limit: int) -> tuple[Event, ...]:
        now = self._clock.now()
        events = [event for event in self.pending(self.count()) if self._postponed.get(event.event_id, 0.0) <= now]
        return tuple(events[: max(limit, 0)])

    def postpone(self, until: Mapping[str, float]) -> None:
        with self._lock:
            self._postponed.update(until)

    def count(self) -> int:
        with self._lock:
            return len(self._pending)

    def put(self, events: Sequence[Event]) -> tuple[Event, ...]:
        with self._lock:
            return self._add(events, once=True)

    def published(self, event_ids: Sequence[str]) -> None:
        with self._lock:
            for event_id in event_ids:
                self._pending.pop(event_id, None)
                self._postponed.pop(event_id, None)

    def add(self, events: Sequence[Event]) -> None:
        """Take the events of a deliberation's entry: the entry was their claim, so no earlier put bars them."""
        with self._lock:
            self._add(events, once=False)

    def _add(self, events: Sequence[Event], *, once: bool) -> tuple[Event, ...]:
        """Return the events that were new; one that is pending stays as it is, every id counts as put now."""
        if not events:
            return ()
        now = self._clock.now()
        self._put_at = {key: at for key, at in self._put_at.items() if at > now - self._retention_s}
        new = []
        for event in events:
            if once and event.event_id in self._put_at:
                continue
            if event.event_id not in self._pending:
                self._pending[event.event_id] = event
                new.append(event)
            self._put_at[event.event_id] = now
        return tuple(new)
