"""How many tasks wait in Celery's queues, in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis


class RedisQueueLengths:
    """Lengths of the broker's lists; `prefix` is the broker's. A queue is one list: no task has a priority."""

    def __init__(self, client: Redis, *, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def waiting(self, queues: Sequence[str]) -> list[int]:
        """Return for each queue how many tasks no worker has taken yet; what workers hold does not count."""
        with self._client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(f"{self._prefix}{queue}")
            return [int(length) for length in pipe.execute()]
