"""Live engines in Redis or Valkey: one expiring key each, and a set of the names."""

from __future__ import annotations

import logging
from contextlib import suppress

from redis import Redis
from redis.exceptions import NoPermissionError

from domain.engine import EngineRecord
from workers.adapters.redis.encoding import Stored, Unreadable, decode, encode, text
from workers.adapters.redis.keys import PREFIX

log = logging.getLogger(__name__)


class RedisEngineDirectory:
    """EngineDirectory over a Redis client; the server's clock alone decides what has expired."""

    def __init__(self, client: Redis, *, prefix: str = PREFIX) -> None:
        self._client = client
        self._names = f"{prefix}engines"
        self._prefix = f"{prefix}engine:"

    def publish(self, record: EngineRecord, ttl_s: float) -> None:
        with self._client.pipeline(transaction=True) as pipe:
            pipe.set(self._prefix + record.name, encode(record), px=max(1, round(ttl_s * 1000)))
            pipe.sadd(self._names, record.name)
            pipe.execute()

    def withdraw(self, name: str) -> None:
        with self._client.pipeline(transaction=True) as pipe:
            pipe.delete(self._prefix + name)
            pipe.srem(self._names, name)
            pipe.execute()

    def serving(self, model: str) -> tuple[EngineRecord, ...]:
        return tuple(record for record in self.all() if record.ready and record.model == model)

    def all(self) -> tuple[EngineRecord, ...]:
        names = sorted(text(name) for name in self._client.smembers(self._names))
        if not names:
            return ()
        stored = self._client.mget([self._prefix + name for name in names])
        gone = [name for name, raw in zip(names, stored, strict=True) if raw is None]
        if gone:
            # A record published between the two calls comes back into the set with its next heartbeat.
            with suppress(NoPermissionError):  # a bridge only reads
                self._client.srem(self._names, *gone)
        live = [record for raw in stored if raw is not None and (record := _read(raw)) is not None]
        return tuple(sorted(live, key=lambda record: (record.model, record.name)))


def _read(raw: Stored) -> EngineRecord | None:
    """Return the record, or None for one that another version wrote: during an upgrade both are live."""
    try:
        return decode(EngineRecord, raw, where="an engine's record")
    except Unreadable as error:
        log.warning("engine left out: %s", error)
        return None
