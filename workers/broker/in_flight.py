"""Which messages are in flight in this worker process; knows Celery's worker state, not Redis."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from celery import signals
from celery.worker import state
from celery.worker.request import Request


@dataclass(frozen=True)
class InFlightSnapshot:
    """The requests of a worker at one moment, by what becomes of them."""

    live: frozenset[str]
    """Delivery tags of the messages whose tasks run here, or will."""
    crashed: tuple[Request, ...]
    """Requests whose tasks ended without an outcome; Celery will never acknowledge them."""


class InFlight:
    """Tells the messages of live tasks from those of tasks that ended without an outcome.

    `watched`: tasks run in threads of this process, so that their beginning and end are seen here. Such a pool
    says nothing when the code around a task fails (a header that can't be counted): the request stays active for
    ever and keeps its prefetch slot. Other pools report every end, and every request they hold is live.
    `patience_s`: for how long a request may stay active without a running task before it counts as crashed.
    """

    def __init__(self, *, watched: bool, patience_s: float) -> None:
        self._watched = watched
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._idle_since: WeakKeyDictionary[Request, float] = WeakKeyDictionary()

    def watch(self) -> None:
        """Follow tasks as they begin and end."""
        signals.task_prerun.connect(self._began, weak=False)
        signals.task_postrun.connect(self._ended, weak=False)

    def unwatch(self) -> None:
        """Follow them no longer."""
        signals.task_prerun.disconnect(self._began)
        signals.task_postrun.disconnect(self._ended)

    def snapshot(self) -> InFlightSnapshot:
        """Sort the requests that this process has not acknowledged."""
        requests = _unacknowledged()
        idle = {request for request in requests if self._watched and self._is_idle(request)}
        crashed = tuple(request for request in idle if self._for_too_long(request))
        for request in requests - idle:
            self._idle_since.pop(request, None)
        return InFlightSnapshot(frozenset(_tag(request) for request in requests - idle), crashed)

    def remove(self, request: Request) -> None:
        """Free the prefetch slot of a crashed request for another message."""
        self._idle_since.pop(request, None)
        state.task_ready(request)
        request.message.channel.qos.free_slot(_tag(request))

    def _began(self, task_id: str | None = None, **_: Any) -> None:
        with self._lock:
            self._running[str(task_id)] += 1

    def _ended(self, task_id: str | None = None, **_: Any) -> None:
        with self._lock:
            self._running -= Counter([str(task_id)])

    def _is_idle(self, request: Request) -> bool:
        with self._lock:
            return request in state.active_requests and not self._running[request.id]

    def _for_too_long(self, request: Request) -> bool:
        # Before its task begins and between its end and the acknowledgement a request is idle too, for a moment.
        since = self._idle_since.setdefault(request, monotonic())
        return monotonic() - since >= self._patience_s


def _unacknowledged() -> set[Request]:
    scheduled = getattr(state, "scheduled_requests", ())  # since 5.7, not in the stubs
    collections: list[Any] = [state.reserved_requests, state.active_requests, scheduled]
    return {request for requests in collections for request in _copy(requests) if not request.acknowledged}


def _copy(requests: Iterable[Request]) -> list[Request]:
    while True:
        try:
            return list(requests)
        except RuntimeError:  # the pool's threads add and remove meanwhile
            continue


def _tag(request: Request) -> str:
    return str(request.message.delivery_tag)
