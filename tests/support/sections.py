"""What the one database of an installation holds for the broker, the results and the store, seen from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis import Redis

from workers.settings import Settings

NEVER = -1
"""What TTL says of a key that does not expire."""


class Section:
    """The keys below one prefix, less those below others that begin with it."""

    def __init__(self, client: Redis, prefix: str, *others: str) -> None:
        self.client = client
        self.prefix = prefix
        self._others = others

    def key(self, name: str) -> str:
        """Return a key's full name."""
        return f"{self.prefix}{name}"

    def count(self) -> int:
        """Return how many keys there are; a share of those that have expired may still be counted."""
        return sum(1 for _ in self._all())

    def names(self) -> list[str]:
        """Return all keys that have not expired."""
        return sorted(key for key, left in self._of_each("TTL").items() if left >= NEVER)

    def without_expiry(self) -> list[str]:
        """Return the keys that stay for good."""
        return sorted(key for key, left in self._of_each("TTL").items() if left == NEVER)

    def bytes(self) -> int:
        """Return what the server reckons that all keys and values take."""
        return sum(size or 0 for size in self._of_each("MEMORY USAGE", "SAMPLES", 0).values())

    def _all(self) -> Iterator[str]:
        found: Iterator[str] = self.client.scan_iter(match=f"{self.prefix}*", count=1000)
        return (key for key in found if not key.startswith(self._others))

    def _of_each(self, command: str, *options: Any) -> dict[str, int]:
        names = list(self._all())
        with self.client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.execute_command(command, name, *options)  # type: ignore[no-untyped-call]  # redis-py's
            return dict(zip(names, pipe.execute(), strict=True))


def sections(redis_url: str) -> dict[str, Section]:
    """Return ours by name, under the prefix that settings have by default."""
    settings = Settings.model_validate({"redis_url": redis_url})
    client: Redis = Redis.from_url(redis_url, decode_responses=True)
    inner = (settings.broker_prefix, settings.results_prefix)
    return {
        "broker": Section(client, settings.broker_prefix),
        "results": Section(client, settings.results_prefix),
        "store": Section(client, settings.key_prefix, *inner),
    }


def used_memory(redis_url: str) -> int:
    """Return the bytes that the server's data and buffers take."""
    return int(Redis.from_url(redis_url).info("memory")["used_memory"])
