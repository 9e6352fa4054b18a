"""What a Valkey server holds in each of our databases, seen from outside."""

from __future__ import annotations

from typing import Any

from redis import Redis

from workers.settings import BROKER_DB, RESULTS_DB, STORE_DB

DATABASES = {"broker": BROKER_DB, "results": RESULTS_DB, "store": STORE_DB}
NEVER = -1
"""What TTL says of a key that does not expire."""


class Database:
    """One database of a running server."""

    def __init__(self, redis_url: str, number: int) -> None:
        self.client: Redis = Redis.from_url(f"{redis_url}/{number}", decode_responses=True)

    def count(self) -> int:
        """Return how many keys there are; a share of those that have expired may still be counted."""
        return int(self.client.dbsize())

    def names(self) -> list[str]:
        """Return all keys that have not expired."""
        return sorted(key for key, left in self._of_each("TTL").items() if left >= NEVER)

    def without_expiry(self) -> list[str]:
        """Return the keys that stay for good."""
        return sorted(key for key, left in self._of_each("TTL").items() if left == NEVER)

    def bytes(self) -> int:
        """Return what the server reckons that all keys and values take."""
        return sum(size or 0 for size in self._of_each("MEMORY USAGE", "SAMPLES", 0).values())

    def _of_each(self, command: str, *options: Any) -> dict[str, int]:
        names = list(self.client.scan_iter(count=1000))
        with self.client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.execute_command(command, name, *options)  # type: ignore[no-untyped-call]  # redis-py's
            return dict(zip(names, pipe.execute(), strict=True))


def databases(redis_url: str) -> dict[str, Database]:
    """Return ours by name; `redis_url` names none."""
    return {name: Database(redis_url, number) for name, number in DATABASES.items()}


def used_memory(redis_url: str) -> int:
    """Return the bytes that the server's data and buffers take."""
    return int(Redis.from_url(redis_url).info("memory")["used_memory"])
