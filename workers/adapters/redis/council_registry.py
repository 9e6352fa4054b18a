"""Councils in Redis or Valkey."""

from __future__ import annotations

from redis import Redis

from domain.council import Council
from workers.adapters.redis.encoding import decode, encode, text
from workers.adapters.redis.keys import PREFIX, Keys


class RedisCouncilRegistry:
    """CouncilRegistry over one hash, kept for good."""

    def __init__(self, client: Redis, *, prefix: str = PREFIX) -> None:
        self._client = client
        self._keys = Keys(prefix)

    def save(self, council: Council) -> None:
        self._client.hset(self._keys.councils, council.role, encode(council))

    def all(self) -> tuple[Council, ...]:
        """Return every council, ordered by role; raises Unreadable naming the role that can't be read."""
        stored = {text(role): raw for role, raw in self._client.hgetall(self._keys.councils).items()}
        return tuple(decode(Council, stored[role], where=f"the council of {role}") for role in sorted(stored))

    def delete(self, role: str) -> bool:
        """Remove the role's council. After a connection broke, False may mean that this very call removed it."""
        return self._client.hdel(self._keys.councils, role) == 1
