"""What is parked, in Redis or Valkey: among the broker's keys, since the broker layer parks messages by itself."""

from __future__ import annotations

from redis import Redis

from domain.parked import Parked
from workers.adapters.redis.encoding import decode, encode
from workers.adapters.redis.scripts import Script
from workers.queue_keys import NOTIFY_LASTS_S, NOTIFY_SUFFIX, PARKED


class RedisParking:
    """Parking over one hash; `prefix` is the broker's."""

    def __init__(self, client: Redis, *, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._key = f"{prefix}{PARKED}"
        self._requeue = Script(client, "requeue_parked", functions=("check_kinds",))

    def put(self, parked: Parked) -> None:
        self._client.hsetnx(self._key, parked.parked_id, encode(parked))

    def all(self) -> tuple[Parked, ...]:
        found = self._client.hvals(self._key)
        read = [decode(Parked, raw, where="a record of what is parked") for raw in found]
        return tuple(sorted(read, key=lambda parked: (parked.at, parked.parked_id)))

    def count(self) -> int:
        return int(self._client.hlen(self._key))

    def requeue(self, parked_id: str) -> bool:
        raw = self._client.hget(self._key, parked_id)
        parked = None if raw is None else decode(Parked, raw, where=f"the record of {parked_id}")
        if parked is None or not parked.message:
            return False
        queue = f"{self._prefix}{parked.queue}"
        keys = [self._key, queue, f"{queue}{NOTIFY_SUFFIX}"]
        return bool(self._requeue(keys, id=parked_id, message=parked.message, notify_ms=NOTIFY_LASTS_S * 1000))

    def drop(self, parked_id: str) -> bool:
        return bool(self._client.hdel(self._key, parked_id))
