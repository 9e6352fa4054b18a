"""Where Celery's `task-sent` events go in a worker: among the events of its own tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.events.dispatcher import EventDispatcher


class SentEvents:
    """Takes the place of the dispatcher through which an application tells what it has sent.

    Celery publishes each of these events by itself, under a lock that all threads of a process share: tasks which
    queue work wait for one another's round trips. A worker's own dispatcher gathers events for a moment.
    No upstream issue known.
    """

    def __init__(self, worker: Callable[[], EventDispatcher | None], others: EventDispatcher) -> None:
        """`worker`: the worker's dispatcher while it has one; `others`: takes the events meanwhile."""
        self._worker = worker
        self._others = others

    def publish(self, type: str, fields: dict[str, Any], producer: Any, **options: Any) -> Any:
        """Leave an event to the worker's dispatcher."""
        dispatcher = self._worker()
        if dispatcher is None or not dispatcher.enabled:
            return self._others.publish(type, fields, producer, **options)
        return dispatcher.send(type, **fields)
