"""When a process that exited is started again, and when to give it up; decides only, starts nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """How patiently a process is started again, in seconds; by default as suits a server of the local stack."""

    first_delay: float = 0.1
    """Before the first restart; doubles with each quick exit."""
    longest_delay: float = 5.0
    """So that a process comes back soon after what it depends on."""
    long_life: float = 5.0
    """A process that lived so long and was ready is taken for healthy again."""
    patience: int | None = 5
    """Quick exits in a row after which the process is given up; None never gives up."""


@dataclass(frozen=True)
class Restarts:
    """How often in a row a process has exited soon after its start."""

    policy: RestartPolicy = RestartPolicy()
    quick_exits: int = 0

    def after_exit(self, *, lived: float, was_ready: bool) -> Restarts:
        """Count an exit; a long life that reached readiness wipes out the quick exits before it."""
        if was_ready and lived >= self.policy.long_life:
            return Restarts(self.policy)
        return Restarts(self.policy, self.quick_exits + 1)

    @property
    def given_up(self) -> bool:
        """Whether starting it again is pointless."""
        return self.policy.patience is not None and self.quick_exits >= self.policy.patience

    @property
    def delay(self) -> float:
        """Seconds to wait before the next start."""
        doublings = min(max(self.quick_exits - 1, 0), 30)
        return min(self.policy.first_delay * 2.0**doublings, self.policy.longest_delay)
