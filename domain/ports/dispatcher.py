"""Work handed to the task queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.deliberation import Deliberation
from domain.plan import PlanRequest


class Dispatcher(Protocol):
    """Puts work on the queue; every piece under an id derived from what it is."""

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        """Accept plans and return what is stored under their ids, in their order.

        On return the dispatch of every request is queued, but for one that asks for something else than what is
        stored under its id: that stands, and the caller has to see to the other. Raises if storing or queueing
        failed; the caller then offers the same requests again, and nothing happens twice.
        """
        ...

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        """Queue a proposal for each agent named, then the conclusion; with none named, the conclusion alone."""
        ...
