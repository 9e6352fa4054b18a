"""What the message system still holds of what was asked and what was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from domain.contract import CancelledBody, CompletedBody, FailedBody, JudgedBody, StartedBody
from domain.plan import PlanRequest
from domain.verdict import SaidVerdict


class EventHistory(Protocol):
    """Reads streams; each method yields oldest first what was stored since a moment (epoch seconds).

    Each may raise HistoryUnreadable.
    """

    def requests(self, since: float) -> Iterator[PlanRequest]:
        """Yield what was asked for by messages that were delivered already; others come by themselves."""
        ...

    def verdicts(self, since: float) -> Iterator[SaidVerdict]:
        """Yield what people said of decisions in messages that were delivered already."""
        ...

    def judged(self, since: float) -> Iterator[JudgedBody]:
        """Yield which verdicts were told."""
        ...

    def started(self, since: float) -> Iterator[StartedBody]:
        """Yield which deliberations were told to have started."""
        ...

    def ends(self, since: float) -> Iterator[CompletedBody | FailedBody | CancelledBody]:
        """Yield which ends were told."""
        ...
