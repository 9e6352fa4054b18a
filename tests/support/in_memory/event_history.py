"""Streams as lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.contract import CancelledBody, CompletedBody, FailedBody, JudgedBody, StartedBody
from domain.errors import HistoryUnreadable
from domain.plan import PlanRequest
from domain.verdict import SaidVerdict


@dataclass
class MemoryEventHistory:
    """EventHistory that holds what a test puts in; moments are not looked at."""

    asked: list[PlanRequest] = field(default_factory=list)
    begun: list[StartedBody] = field(default_factory=list)
    told: list[CompletedBody | FailedBody | CancelledBody] = field(default_factory=list)
    said: list[SaidVerdict] = field(default_factory=list)
    judgements: list[JudgedBody] = field(default_factory=list)
    refusal: HistoryUnreadable | None = None

    def requests(self, since: float) -> Iterator[PlanRequest]:
        if self.refusal is not None:
            raise self.refusal
        yield from self.asked

    def verdicts(self, since: float) -> Iterator[SaidVerdict]:
        yield from self.said

    def judged(self, since: float) -> Iterator[JudgedBody]:
        yield from self.judgements

    def started(self, since: float) -> Iterator[StartedBody]:
        yield from self.begun

    def ends(self, since: float) -> Iterator[CompletedBody | FailedBody | CancelledBody]:
        yield from self.told
