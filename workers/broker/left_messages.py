"""Whether a message that no worker refreshes any more tells of a lost worker, and what its task bears of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kombu.utils.json import loads

from workers.broker.atomic_pop import WORKER
from workers.broker.attempts import share_of_loss


@dataclass(frozen=True)
class LeftMessage:
    """A message that no worker has refreshed for the visibility timeout."""

    tag: str
    share: float
    """Of the loss of the worker that ran its task; 0.0 where that worker lives, or had not begun the task."""


def judge(marks: Sequence[tuple[str, Any]], gone: Collection[str], now: float) -> list[LeftMessage]:
    """Judge messages by their tags and marks, where `gone` are the workers that are lost.

    A loss is shared by all messages that one worker left. A living worker leaves a message when the broker forgot
    its acknowledgement, or when it was cut off and is back: its tasks did it no harm.
    """
    holders = [holder(mark, now) for _, mark in marks]
    shared = Counter(holders)
    return [
        LeftMessage(tag, share_of_loss(shared[worker]) if worker in gone else 0.0)
        for (tag, _), worker in zip(marks, holders, strict=True)
    ]


def holder(mark: Any, now: float) -> str:
    """Return the worker that had begun a marked message's task; empty where none had, or it kept no heartbeat."""
    try:
        payload = loads(mark)[0]
        eta = payload["headers"].get("eta")
        waits = eta is not None and datetime.fromisoformat(eta).timestamp() > now
        return "" if waits else str(payload.get(WORKER, ""))
    except (ValueError, LookupError, TypeError, AttributeError):  # a message that no task will ever run
        return ""
