"""The outbox in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from domain.event import Event
from domain.ports.clock import Clock
from workers.adapters.redis.encoding import decode, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import event_arguments, script


class RedisOutbox:
    """Outbox over a sorted set of what waits, a hash of the events, and a sorted set of the ids ever put.

    An event of a deliberation's entry needs no claim: it enters by `record.lua`, whatever was put before.
    """

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._retention_s = retention_s
        self._keys = Keys(prefix)
        self._put = script(client, "put")
        self._pending = script(client, "pending")

    def pending(self, limit: int) -> tuple[Event, ...]:
        if limit <= 0:
            return ()
        raws = self._pending([self._keys.outbox_order, self._keys.outbox_events], [limit])
        return tuple(decode(Event, raw, where="an event of the outbox") for raw in raws)

    def count(self) -> int:
        return int(self._client.zcard(self._keys.outbox_order))

    def put(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Save what is new and return it. After a connection broke in mid-call an event that this very call
        saved may be missing from the answer; it is pending all the same."""
        now = self._clock.now()
        keys = [self._keys.outbox_order, self._keys.outbox_events, self._keys.outbox_known]
        retention = (now - self._retention_s, round(self._retention_s * 1000))
        new = texts(self._put(keys, [now, *retention, *event_arguments(events)]))
        first = {event.event_id: event for event in reversed(events)}
        return tuple(first[event_id] for event_id in new)

    def published(self, event_ids: Sequence[str]) -> None:
        if not event_ids:
            return
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.zrem(self._keys.outbox_order, *event_ids)
            pipeline.hdel(self._keys.outbox_events, *event_ids)
            pipeline.execute()
