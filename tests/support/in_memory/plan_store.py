"""Accepted plans in memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from threading import Lock

from domain.plan import PlanRequest
from domain.ports.clock import Clock


class MemoryPlanStore:
    """PlanStore over a dict in the order of saving."""

    def __init__(self, *, clock: Clock, retention_s: float = inf) -> None:
        self._clock = clock
        self._retention_s = retention_s
        self._saved: dict[str, tuple[float, PlanRequest]] = {}
        self._undispatched: dict[str, float] = {}
        self._lock = Lock()

    def save(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        with self._lock:
            self._forget_old()
            for request in requests:
                if request.request_id not in self._saved:
                    self._undispatched[request.request_id] = self._clock.now()
                self._saved.setdefault(request.request_id, (self._clock.now(), request))
            return tuple(self._saved[request.request_id][1] for request in requests)

    def load(self, request_id: str) -> PlanRequest:
        with self._lock:
            self._forget_old()
            if request_id not in self._saved:
                raise LookupError(f"no plan request {request_id}: never saved, or past retention")
            return self._saved[request_id][1]

    def latest(self, plan_id: str) -> PlanRequest:
        with self._lock:
            self._forget_old()
            for _, request in reversed(self._saved.values()):
                if request.plan.plan_id == plan_id:
                    return request
        raise LookupError(f"no request for plan {plan_id}: never saved, or past retention")

    def take_overdue(self, before: float, limit: int) -> tuple[str, ...]:
        with self._lock:
            oldest_first = sorted(self._undispatched.items(), key=lambda item: (item[1], item[0]))
            taken = tuple(identity for identity, since in oldest_first if since < before)[:limit]
            self._undispatched |= dict.fromkeys(taken, self._clock.now())
            return taken

    def mark_dispatched(self, request_id: str) -> None:
        with self._lock:
            self._undispatched.pop(request_id, None)

    def put_back(self, request_id: str) -> None:
        """Count a request that waited as undispatched again, and as saved now."""
        with self._lock:
            self._undispatched[request_id] = self._clock.now()
            self._saved[request_id] = (self._clock.now(), self._saved[request_id][1])

    def set_aside(self, request_id: str) -> None:
        """Let a request wait: it is not undispatched and does not expire."""
        with self._lock:
            self._undispatched.pop(request_id, None)
            self._saved[request_id] = (inf, self._saved[request_id][1])

    def is_undispatched(self, request_id: str) -> bool:
        with self._lock:
            return request_id in self._undispatched

    def count_undispatched(self) -> int:
        with self._lock:
            return len(self._undispatched)

    def _forget_old(self) -> None:
        horizon = self._clock.now() - self._retention_s
        self._saved = {key: kept for key, kept in self._saved.items() if kept[0] > horizon}
