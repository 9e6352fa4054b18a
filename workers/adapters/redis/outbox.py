"""The outbox in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis import Redis

from domain.event import Event
from domain.ports.clock import Clock
from workers.adapters.redis.encoding import decode, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import Script, event_arguments, expiry_ms, score


class RedisOutbox:
    """Outbox over a hash of the events and sorted sets of their ids: what is pending, put, postponed.

    The events of a deliberation's entry enter by `record.lua`, through the same function (add_events.lua).
    """

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._retention_s = retention_s
        self._retention_ms = expiry_ms(retention_s)
        self._keys = Keys(prefix)
        self._put = Script(client, "put_events", functions=("check_kinds", "add_events"))
        self._pending = Script(client, "pending_events")
        self._forget = Script(client, "forget_events")
        self._due = Script(client, "due_events", functions=("check_kinds",))

    def pending(self, limit: int) -> tuple[Event, ...]:
        if limit <= 0:
            return ()
        raws = self._pending([self._keys.outbox_order, self._keys.outbox_events], limit=limit)
        return tuple(decode(Event, raw, where="an event of the outbox") for raw in raws)

    def due(self, limit: int) -> tuple[Event, ...]:
        if limit <= 0:
            return ()
        keys = [self._keys.outbox_order, self._keys.outbox_events, self._keys.outbox_postponed]
        raws = self._due(keys, limit=limit, now=score(self._clock.now()))
        return tuple(decode(Event, raw, where="an event of the outbox") for raw in raws)

    def postpone(self, until: Mapping[str, float]) -> None:
        if until:
            self._client.zadd(self._keys.outbox_postponed, dict(until))

    def count(self) -> int:
        return int(self._client.zcard(self._keys.outbox_order))

    def put(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Save what is new and return it. After a connection broke in mid-call an event that this very call
        saved may be missing from the answer; it is pending all the same."""
        now = self._clock.now()
        keys = [self._keys.outbox_order, self._keys.outbox_events, self._keys.outbox_put_ids]
        answer = self._put(
            keys,
            events=event_arguments(events),
            now=score(now),
            horizon=score(now - self._retention_s),
            retention_ms=self._retention_ms,
        )
        first = {event.event_id: event for event in reversed(events)}
        return tuple(first[event_id] for event_id in texts(answer))

    def published(self, event_ids: Sequence[str]) -> None:
        if event_ids:
            keys = [self._keys.outbox_order, self._keys.outbox_events, self._keys.outbox_postponed]
            self._forget(keys, ids=list(event_ids))
