"""Which messages this worker process still answers for; knows Celery's worker state, not Redis."""

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


@dataclass(frozen=True)
class InFlightSnapshot:
    """What one look at the worker's state found."""

    live: frozenset[str]
    """Delivery tags of the messages whose tasks run here, or will."""
    crashed: tuple[Any, ...]
    """Requests whose tasks ended without an outcome; nobody will ever acknowledge them."""


class InFlight:
    """Tells the messages of live tasks from those of tasks that came to nothing.

    `watched`: tasks run in threads of this process, so that their beginning and end are seen here. Such a pool
    says nothing when the code around a task fails (a header that can't be counted): the request stays active for
    ever and keeps its place. Other pools report every end, and every request they hold is live.
    """

    def __init__(self, *, watched: bool, patience_s: float) -> None:
        self._watched = watched
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._silent_since: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def watch(self) -> None:
        """Follow tasks as they begin and end."""
        signals.task_prerun.connect(self._began, weak=False)
        signals.task_postrun.connect(self._ended, weak=False)

    def unwatch(self) -> None:
        """Follow them no longer."""
        signals.task_prerun.disconnect(self._began)
        signals.task_postrun.disconnect(self._ended)

    def look(self) -> InFlightSnapshot:
        """Sort the requests that this process has not settled."""
        held = _held()
        silent = {request for request in held if self._watched and self._is_silent(request)}
        crashed = tuple(request for request in silent if self._for_too_long(request))
        for request in held - silent:
            self._silent_since.pop(request, None)
        return InFlightSnapshot(frozenset(_tag(request) for request in held - silent), crashed)

    def abandon(self, request: Any) -> None:
        """Make room for another task in place of one that came to nothing."""
        self._silent_since.pop(request, None)
        state.task_ready(request)
        request.message.channel.qos.forget(_tag(request))

    def _began(self, task_id: str | None = None, **_: Any) -> None:
        with self._lock:
            self._running[str(task_id)] += 1

    def _ended(self, task_id: str | None = None, **_: Any) -> None:
        with self._lock:
            self._running -= Counter([str(task_id)])

    def _is_silent(self, request: Any) -> bool:
        with self._lock:
            return request in state.active_requests and not self._running[request.id]

    def _for_too_long(self, request: Any) -> bool:
        # Before its task begins and between its end and the acknowledgement a request is silent too, for a moment.
        since = self._silent_since.setdefault(request, monotonic())
        return monotonic() - since >= self._patience_s


def _held() -> set[Any]:
    scheduled = getattr(state, "scheduled_requests", ())  # since 5.7, not in the stubs
    everything = [state.reserved_requests, state.active_requests, scheduled]
    return {request for requests in everything for request in _copy(requests) if not request.acknowledged}


def _copy(requests: Iterable[Any]) -> list[Any]:
    while True:
        try:
            return list(requests)
        except RuntimeError:  # the pool's threads add and remove meanwhile
            continue


def _tag(request: Any) -> str:
    return str(request.message.delivery_tag)
