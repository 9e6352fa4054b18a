"""Accepted plans, kept from acceptance until their retention ends, and which of them are not dispatched yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.plan import PlanRequest


class PlanStore(Protocol):
    """Plan requests by their id. A request is undispatched from its first saving until it is marked, so that a
    lost message is a delay and not a loss.

    Every method may raise what its store raises while that is away, and may then be called again.
    """

    def save(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        """Keep the requests, each together with its mark as undispatched; return what is kept under their ids.

        A request that is kept stays as it is, whatever is offered under its id later.

        Atomic for each request, not for all of them. On return all are durable; if it raises, some may be, and
        the same call repeated keeps the rest.
        """
        ...

    def load(self, request_id: str) -> PlanRequest:
        """Return the request; raises LookupError naming the id if it was never saved or is past retention."""
        ...

    def latest(self, plan_id: str) -> PlanRequest:
        """Return the plan's request saved last; raises LookupError naming the plan if there is none."""
        ...

    def take_overdue(self, before: float, limit: int) -> tuple[str, ...]:
        """Return undispatched requests saved, or taken here, before that moment (epoch seconds), oldest first.

        They count as taken now, in the same atomic step, so that no two callers take the same one at a time.
        """
        ...

    def mark_dispatched(self, request_id: str) -> None:
        """Take the request out of the undispatched ones for good; an id that is not among them is ignored."""
        ...

    def count_undispatched(self) -> int:
        """Count the requests that wait to be dispatched."""
        ...
