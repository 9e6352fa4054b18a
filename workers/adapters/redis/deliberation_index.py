"""The index of deliberations in Redis or Valkey; written by `record.lua` together with the entries."""

from __future__ import annotations

from redis import Redis

from domain.ports.clock import Clock
from workers.adapters.redis.encoding import texts
from workers.adapters.redis.keys import PREFIX, Keys


class RedisDeliberationIndex:
    """DeliberationIndex over sorted sets: open by last write, all by opening, a plan's by opening."""

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._retention_s = retention_s
        self._keys = Keys(prefix)

    def open_untouched_since(self, moment: float, limit: int) -> tuple[str, ...]:
        found = self._client.zrange(
            self._keys.open, "-inf", f"({moment!r}", byscore=True, offset=0, num=max(limit, 0)
        )
        return texts(found)

    def touch(self, deliberation_id: str, at: float) -> None:
        self._client.zadd(self._keys.open, {deliberation_id: at}, xx=True)

    def count_open(self) -> int:
        return int(self._client.zcard(self._keys.open))

    def newest(self, limit: int) -> tuple[str, ...]:
        return self._newest_first(self._keys.newest, max(limit, 0))

    def of_plan(self, plan_id: str) -> tuple[str, ...]:
        return self._newest_first(self._keys.of_plan(plan_id), -1)

    def _newest_first(self, index: str, limit: int) -> tuple[str, ...]:
        horizon = self._clock.now() - self._retention_s
        found = self._client.zrange(index, "+inf", f"({horizon!r}", desc=True, byscore=True, offset=0, num=limit)
        return texts(found)
