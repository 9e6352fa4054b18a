"""A look at the installation, for people who run it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from domain.finding import Finding
from domain.system import QueueLoad, ScheduledRun, WorkerSeen


class SystemWatch(Protocol):
    """Each method looks at one part and may take seconds; called from several threads.

    What can't be looked at raises SystemUnreadable, or what the store or the broker raises.
    """

    def findings(self) -> tuple[Finding, ...]:
        """Return what `conclave doctor` says, but for what takes calls to engines; never fails as a whole."""
        ...

    def queues(self, models: Collection[str]) -> tuple[QueueLoad, ...]:
        """Return the queue of control workers, then those of these models by name."""
        ...

    def workers(self) -> tuple[WorkerSeen, ...]:
        """Return the workers that answer within a second, by name."""
        ...

    def schedules(self) -> tuple[ScheduledRun, ...]:
        """Return what is deliberated again by the clock, by name."""
        ...
