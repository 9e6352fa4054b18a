"""Places of open plans in memory."""

from __future__ import annotations

from threading import RLock

from domain.places import Place, order_of
from domain.plan import PlanRequest
from domain.ports.clock import Clock
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.plan_store import MemoryPlanStore


class MemoryPlanPlaces:
    """PlanPlaces over a dict of those who hold one and a dict of those who wait; `limit` 0 is no bound."""

    def __init__(
        self, *, limit: int = 0, clock: Clock, plans: MemoryPlanStore, deliberations: MemoryDeliberationStore
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._plans = plans
        self._deliberations = deliberations
        self._held: dict[str, PlanRequest] = {}
        self._waiting: dict[str, tuple[float, PlanRequest]] = {}
        self._lock = RLock()

    @property
    def bounded(self) -> bool:
        return self._limit > 0

    def take(self, request: PlanRequest) -> Place:
        with self._lock:
            identity, publisher = request.request_id, request.plan.approved_by
            if not self.bounded or identity in self._held:
                return Place.TAKEN
            known = identity in self._waiting
            if not known and not self._queue(publisher) and self._number_held(publisher) < self._limit:
                self._held[identity] = request
                return Place.TAKEN
            order = order_of(request.plan.urgency, since=self._clock.now())
            self._waiting.setdefault(identity, (order, request))
            self._plans.set_aside(identity)
            return Place.WAITING if known else Place.QUEUED

    def settle(self, publisher: str) -> tuple[str, ...]:
        with self._lock:
            for identity, request in [*self._held.items()]:
                if request.plan.approved_by == publisher and self._has_ended(request):
                    del self._held[identity]
            free = self._limit - self._number_held(publisher) if self.bounded else len(self._waiting)
            given = self._queue(publisher)[: max(free, 0)]
            for request in given:
                del self._waiting[request.request_id]
                self._held[request.request_id] = request
                self._plans.put_back(request.request_id)
            return tuple(request.request_id for request in given)

    def publishers(self) -> tuple[str, ...]:
        with self._lock:
            requests = [*self._held.values(), *(request for _, request in self._waiting.values())]
            return tuple(sorted({request.plan.approved_by for request in requests}))

    def count_waiting(self) -> int:
        with self._lock:
            return len(self._waiting)

    def _queue(self, publisher: str) -> list[PlanRequest]:
        ours = [(order, key, of) for key, (order, of) in self._waiting.items() if of.plan.approved_by == publisher]
        return [request for _, _, request in sorted(ours, key=lambda waiting: waiting[:2])]

    def _number_held(self, publisher: str) -> int:
        return sum(request.plan.approved_by == publisher for request in self._held.values())

    def _has_ended(self, request: PlanRequest) -> bool:
        dispatched = not self._plans.is_undispatched(request.request_id)
        return dispatched and not self._deliberations.has_open(request.plan.plan_id)
