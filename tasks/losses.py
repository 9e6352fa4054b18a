"""Whether a task that lost workers is taken for their killer: what its message tells of the losses, weighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

LOSSES = "losses"
"""Message header that the broker layer writes: one `[at, share]` for every worker lost with the task."""


class MessageHeaders(Protocol):
    """A task's `self.request`, or a dictionary."""

    def get(self, key: str, default: Any = None) -> Any: ...


@dataclass(frozen=True)
class Loss:
    """A worker that was lost while it ran the task."""

    at: float
    """When that was noticed, in epoch seconds."""
    share: float
    """1.0 where it ran nothing else, less where other tasks may have killed it as well."""


def losses_of(headers: MessageHeaders) -> tuple[Loss, ...]:
    """Read a message's losses, oldest first; what can't be read is none."""
    found = headers.get(LOSSES)
    return tuple(Loss(*loss) for loss in found if _is_loss(loss)) if isinstance(found, list) else ()


def since_progress(losses: Sequence[Loss], progress_at: float) -> tuple[Loss, ...]:
    """Leave out the losses before the task's last progress: it was not the killer then, or it is cured."""
    return tuple(loss for loss in losses if loss.at > progress_at)


def is_killer(losses: Sequence[Loss], limit: float) -> bool:
    """Whether these losses, none of which was followed by progress, are as many as `limit` whole ones."""
    return sum(loss.share for loss in losses) >= limit


def _is_loss(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(one, int | float) for one in value)
