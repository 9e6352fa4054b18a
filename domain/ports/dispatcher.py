"""Work handed to the task queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.deliberation import Deliberation
from domain.plan import PlanRequest


class Dispatcher(Protocol):
    """Puts work on the queue; every piece under an id derived from what it is."""

    def plans(self, requests: Sequence[PlanRequest]) -> None:
        """Accept plans: on return every request is stored and its dispatch is queued. Raises if either failed;
        the caller then offers the same requests again, and nothing happens twice."""
        ...

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        """Queue a proposal for each agent named, then the conclusion; with none named, the conclusion alone."""
        ...

    def withdraw(self, deliberation: Deliberation) -> None:
        """Take a deliberation's work off the queue as far as it can be found; what runs goes on."""
        ...
