"""How many tasks wait in Celery's queues, in Redis or Valkey."""

from __future__ import annotations

import json
from collections.abc import Sequence

from redis import Redis

MOST_READ = 500
"""Messages of a queue that are told apart, a kilobyte each; of a longer queue each counts."""


class RedisQueueLengths:
    """Lengths of the broker's lists; `prefix` is the broker's. A queue is one list: no task has a priority."""

    def __init__(self, client: Redis, *, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def waiting(self, queues: Sequence[str]) -> list[int]:
        """Return for each queue how many tasks no worker has taken yet; what workers hold does not count.

        A task counts once, however often the sweep has queued it.
        """
        keys = [f"{self._prefix}{queue}" for queue in queues]
        with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.llen(key)
            lengths = [int(length) for length in pipe.execute()]
        return [
            self._distinct(key) if 1 < length <= MOST_READ else length
            for key, length in zip(keys, lengths, strict=True)
        ]

    def _distinct(self, key: str) -> int:
        messages = self._client.lrange(key, 0, MOST_READ)
        ids = [_task_id(message) for message in messages]
        return len({task_id for task_id in ids if task_id}) + ids.count("")


def _task_id(message: bytes | str) -> str:
    """Return whose message it is; empty for one that does not say, which counts by itself."""
    try:
        return str(json.loads(message)["headers"]["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
