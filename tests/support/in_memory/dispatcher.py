"""A task queue in memory, from which nothing is run."""

from __future__ import annotations

from collections.abc import Sequence

from domain.deliberation import Deliberation
from domain.plan import PlanRequest


class MemoryDispatcher:
    """Dispatcher that keeps plans and queued work (deliberation id, agents to ask)."""

    def __init__(self) -> None:
        self.requests: list[PlanRequest] = []
        self.work: list[tuple[str, tuple[str, ...]]] = []

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        self.requests.extend(requests)
        return tuple(requests)

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        self.work.append((deliberation.deliberation_id, tuple(unanswered)))
