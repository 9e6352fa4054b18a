"""Places of open plans, a bounded number for each publisher, and the plans that wait for one."""

from __future__ import annotations

from typing import Protocol

from domain.places import Place
from domain.plan import PlanRequest


class PlanPlaces(Protocol):
    """Who of a publisher's plans may be dispatched; without a bound every plan may.

    A plan holds its place from the moment it is given one until its dispatch is done and no deliberation on it is
    open. One that waits is no undispatched request and does not expire. Every method is atomic for each plan, may
    raise what its store raises while that is away, and may then be called again.
    """

    @property
    def bounded(self) -> bool:
        """Whether there is a bound. Without one only plans that wait since there was one are left to `settle`."""
        ...

    def take(self, request: PlanRequest) -> Place:
        """Give the saved request a place, or let it wait for one by its priority; harmless if repeated."""
        ...

    def settle(self, publisher: str) -> tuple[str, ...]:
        """Free the places of the publisher's plans that have ended, and give them to those that wait.

        Return the ids of the requests that have a place now; they are undispatched again, so that one whose
        dispatch the caller does not queue is found by `PlanStore.take_overdue`.
        """
        ...

    def publishers(self) -> tuple[str, ...]:
        """Return whose plans hold places or wait for them."""
        ...

    def count_waiting(self) -> int:
        """Count the plans that wait for a place."""
        ...
