"""How often a task was begun without coming to an end: the measure of a task that kills its workers.

The count travels in the message itself. The worker whose sweep finds a message of a lost worker adds one while it
requeues the message, in the same transaction: free as long as no worker is lost, and no store has to be cleaned.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Protocol

LOSSES = "losses"
"""Message header: how many workers were lost while this message was in flight there. Absent: none."""


class Delivered(Protocol):
    """What is used of a request: a task's `self.request` has it, a dictionary too."""

    def get(self, key: str, default: Any = None) -> Any: ...


def attempts(request: Delivered) -> int:
    """Return the ordinal of this run of a task: 1 at first, one more for every worker lost with it.

    A task that lost two workers is at 3. A run that ended by itself (returned, raised, was rejected, was requeued
    at a shutdown or after a failed trace) doesn't count, nor does a retry, which is a new message. Other tasks
    that were running in a lost worker are counted too: which of them killed it can't be told.

        class Base(celery.Task):
            def __call__(self, *args, **kwargs):
                if attempts(self.request) > limit:
                    return self.park(f"lost {attempts(self.request) - 1} workers")
                return self.run(*args, **kwargs)

    Code that may not import this package reads the same number as `1 + self.request.get("losses", 0)`.
    """
    losses = request.get(LOSSES)
    return 1 + (losses if isinstance(losses, int) and losses > 0 else 0)


def count_loss(payload: MutableMapping[str, Any]) -> None:
    """Add one lost worker to a message as it lies in the broker."""
    headers = payload.setdefault("headers", {})
    headers[LOSSES] = attempts(headers)
