"""What an installation looks like from inside: its queues, workers and schedules."""

from __future__ import annotations

from domain.value import Value


class QueueLoad(Value):
    """Tasks that no worker has taken yet; what workers hold does not count."""

    queue: str
    waiting: int
    oldest_at: float | None
    """When the one that is taken next was sent, in epoch seconds; None without any, or where it does not say."""


class WorkerSeen(Value):
    """A worker that answers."""

    name: str
    queues: tuple[str, ...]
    """Whose tasks it takes now; none while its engine is being started."""
    busy: int
    """Tasks that it works on."""
    places: int
    """Tasks that it works on at once, at most; 0 where it does not say."""


class ScheduledRun(Value):
    """A schedule and when its time comes next."""

    name: str
    plan_id: str
    """A plan's id, or the request id of a question."""
    role: str
    cron: str
    """In UTC."""
    next_at: float
    """Epoch seconds."""
