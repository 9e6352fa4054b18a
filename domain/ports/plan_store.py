"""Accepted plans, kept from acceptance until their retention ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.plan import PlanRequest


class PlanStore(Protocol):
    """Plan requests by their id."""

    def save(self, requests: Sequence[PlanRequest]) -> None:
        """Keep the requests; one that is there already stays as it is. All are durable on return, or it raises."""
        ...

    def load(self, request_id: str) -> PlanRequest:
        """Return the request; raises LookupError naming the id if it was never saved or is past retention."""
        ...

    def latest(self, plan_id: str) -> PlanRequest:
        """Return the plan's request saved last; raises LookupError naming the plan if there is none."""
        ...
