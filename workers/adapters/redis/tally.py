"""Counters in Redis or Valkey; `record.lua` adds to them."""

from __future__ import annotations

from collections.abc import Mapping

from redis import Redis

from workers.adapters.redis.encoding import text
from workers.adapters.redis.keys import PREFIX, Keys


class RedisTally:
    """Tally over one hash."""

    def __init__(self, client: Redis, *, prefix: str = PREFIX) -> None:
        self._client = client
        self._keys = Keys(prefix)

    def counts(self) -> Mapping[str, int]:
        found = self._client.hgetall(self._keys.tally)
        return {text(name): int(count) for name, count in found.items()}
