"""What waits in Celery's queues and since when, in Redis or Valkey."""

from __future__ import annotations

import json
from collections.abc import Sequence

from redis import Redis

from domain.system import QueueLoad
from tasks.step import SENT_AT

OLDEST = -1
"""Tasks are pushed at a list's head and taken from its end."""


class RedisQueueLoads:
    """Loads of the broker's lists; `prefix` is the broker's."""

    def __init__(self, client: Redis, *, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def of(self, queues: Sequence[str]) -> tuple[QueueLoad, ...]:
        """Return the load of each queue, in this order."""
        with self._client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(f"{self._prefix}{queue}")
                pipe.lindex(f"{self._prefix}{queue}", OLDEST)
            found = pipe.execute()
        return tuple(
            QueueLoad(queue=queue, waiting=int(length), oldest_at=_sent_at(raw))
            for queue, length, raw in zip(queues, found[::2], found[1::2], strict=True)
        )


def _sent_at(raw: bytes | str | None) -> float | None:
    """Read when a message was sent; what is none of ours does not say."""
    try:
        return float(json.loads(raw or "")["headers"][SENT_AT])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
