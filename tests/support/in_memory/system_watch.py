"""An installation as a test describes it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from domain.finding import Finding, ok
from domain.system import QueueLoad, ScheduledRun, WorkerSeen


@dataclass
class MemorySystemWatch:
    """SystemWatch over what a test puts in; the parts named in `unreadable` fail with that sentence."""

    found: tuple[Finding, ...] = (ok("settings", "time-outs nest"),)
    loads: dict[str, QueueLoad] = field(default_factory=dict)
    seen: tuple[WorkerSeen, ...] = ()
    runs: tuple[ScheduledRun, ...] = ()
    unreadable: dict[str, Exception] = field(default_factory=dict)

    def findings(self) -> tuple[Finding, ...]:
        self._fail("findings")
        return self.found

    def queues(self, models: Collection[str]) -> tuple[QueueLoad, ...]:
        self._fail("queues")
        names = ["control", *(f"llm.{model}" for model in sorted(models))]
        return tuple(self.loads.get(name, QueueLoad(queue=name, waiting=0, oldest_at=None)) for name in names)

    def workers(self) -> tuple[WorkerSeen, ...]:
        self._fail("workers")
        return self.seen

    def schedules(self) -> tuple[ScheduledRun, ...]:
        self._fail("schedules")
        return self.runs

    def _fail(self, part: str) -> None:
        if part in self.unreadable:
            raise self.unreadable[part]
