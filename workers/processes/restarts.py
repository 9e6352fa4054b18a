"""When a process that died is started again, and when to give it up; decides only, starts nothing."""

from __future__ import annotations

from dataclasses import dataclass

LONG_LIFE = 5.0
"""Seconds a process must live to be taken for healthy again."""
FIRST_DELAY = 0.1
"""Seconds before the first restart; doubles with each quick death."""
LONGEST_DELAY = 5.0
"""Seconds; so that a part comes back soon after what it depends on."""
PATIENCE = 5
"""Quick deaths in a row after which the process is given up."""


@dataclass(frozen=True)
class Restarts:
    """How often a process has died young lately."""

    quick_deaths: int = 0

    def after_death(self, *, lived: float, was_ready: bool) -> Restarts:
        """Count a death; a long life that reached readiness wipes out the young deaths before it."""
        if was_ready and lived >= LONG_LIFE:
            return Restarts()
        return Restarts(self.quick_deaths + 1)

    @property
    def given_up(self) -> bool:
        """Whether starting it again is pointless."""
        return self.quick_deaths >= PATIENCE

    @property
    def delay(self) -> float:
        """Seconds to wait before the next start."""
        return min(FIRST_DELAY * 2.0 ** max(self.quick_deaths - 1, 0), LONGEST_DELAY)
