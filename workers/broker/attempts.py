"""How often a task was begun without coming to an end: the measure of a task that kills its workers.

The losses travel in the message itself. The worker whose sweep finds a message of a lost worker adds one while it
requeues the message, in the same transaction: free as long as no worker is lost, and no store has to be cleaned.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Protocol

LOSSES = "losses"
"""Message header: one `[at, share]` for every worker that was lost while it ran this message's task. `at`: epoch
seconds by the broker's clock when the loss was noticed. `share`: 1.0 where the worker ran nothing else, less where
other tasks shared it. Absent: none was lost."""
CRASHES = "crashes"
"""Message header: how often this message's task ended without an outcome, its worker going on."""
KEPT = 100
"""Losses that a message remembers, the latest; no task is run so often without a decision about it."""
LEAST_SHARE = 0.25
"""Of a loss, for each of the many tasks that shared a worker. More, and the neighbours of a killer are soon taken
for killers themselves; less, and a killer with many neighbours takes down too many workers before it is found."""


class Delivered(Protocol):
    """What is used of a request: a task's `self.request` has it, a dictionary too."""

    def get(self, key: str, default: Any = None) -> Any: ...


def attempts(request: Delivered) -> int:
    """Return the ordinal of this run of a task: 1 at first, one more for every worker lost with it.

    A task that lost two workers is at 3. A run that ended by itself (returned, raised, was rejected, was requeued
    at a shutdown or after a failed trace) doesn't count, nor does a retry, which is a new message, nor a worker
    that was cut off or refused by its broker and lives. Other tasks that were running in a lost worker are
    counted too: which of them killed it can't be told, so each bears a share (see LOSSES).

        class Base(celery.Task):
            def __call__(self, *args, **kwargs):
                if attempts(self.request) > limit:
                    return self.park(f"lost {attempts(self.request) - 1} workers")
                return self.run(*args, **kwargs)
    """
    losses = request.get(LOSSES)
    return 1 + (len(losses) if isinstance(losses, list) else 0)


def share_of_loss(tasks: int) -> float:
    """Return what one of so many tasks bears of the loss of the worker that ran them."""
    return max(LEAST_SHARE, 1 / tasks)


def count_loss(payload: MutableMapping[str, Any], *, at: float, share: float) -> None:
    """Add one lost worker to a message as it lies in the broker."""
    headers = payload.get("headers")
    if not isinstance(headers, dict):
        headers = payload["headers"] = {}
    known = headers.get(LOSSES)
    headers[LOSSES] = [*(known if isinstance(known, list) else ()), [round(at, 3), share]][-KEPT:]


def count_crash(payload: MutableMapping[str, Any]) -> int:
    """Add one run without an outcome to a message as it lies in the broker; return how many there were."""
    headers = payload["headers"]
    known = headers.get(CRASHES)
    headers[CRASHES] = 1 + (known if isinstance(known, int) and known > 0 else 0)
    return int(headers[CRASHES])
