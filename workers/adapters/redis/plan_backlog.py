"""Undispatched plans in Redis or Valkey; `save.lua` puts them in."""

from __future__ import annotations

from redis import Redis

from domain.ports.clock import Clock
from workers.adapters.redis.encoding import texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import script


class RedisPlanBacklog:
    """PlanBacklog over one sorted set."""

    def __init__(self, client: Redis, *, clock: Clock, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._key = Keys(prefix).backlog
        self._overdue = script(client, "overdue")

    def take_overdue(self, before: float, limit: int) -> tuple[str, ...]:
        return texts(self._overdue([self._key], [before, self._clock.now(), limit]))

    def settle(self, request_id: str) -> None:
        self._client.zrem(self._key, request_id)

    def count(self) -> int:
        return int(self._client.zcard(self._key))
