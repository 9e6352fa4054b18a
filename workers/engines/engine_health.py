"""When an engine may serve, and when it is lost; decides only, from what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workers.engines.engine_metrics import EngineMetrics

MISSES = 3
"""Failed checks in a row after which an engine that still runs is lost."""
FAILED_CALLS = 5
"""Calls in a row that the engine answered with an error of its own, whatever its health check says."""


class HealthVerdict(StrEnum):
    """What to do about the engine."""

    SERVING = "serving"
    DOUBTFUL = "doubtful"
    """Give it no new work and look again."""
    LOST = "lost"
    """End it and start another."""


@dataclass(frozen=True)
class Observation:
    """One look at an engine."""

    at: float
    """Seconds of a clock that never goes back."""
    runs: bool = True
    answers: bool = True
    metrics: EngineMetrics | None = None
    failed_calls: int = 0
    """Calls in a row that failed by the engine's fault."""


@dataclass(frozen=True)
class EngineHealth:
    """What is remembered from one look to the next."""

    stall_s: float
    misses: int = 0
    progress: float | None = None
    moved_at: float | None = None
    """When the engine last made a step, or had nothing to do."""
    verdict: HealthVerdict = HealthVerdict.SERVING
    why: str = ""

    def after(self, observation: Observation) -> EngineHealth:
        """Judge one more look."""
        metrics, now = observation.metrics, observation.at
        misses = 0 if observation.answers else self.misses + 1
        progress = metrics.progress if metrics else self.progress
        idle = metrics is None or progress is None or not metrics.running
        moved_at = now if idle or progress != self.progress or self.moved_at is None else self.moved_at
        verdict, why = self._judge(observation, misses, now - moved_at)
        return EngineHealth(self.stall_s, misses, progress, moved_at, verdict, why)

    def _judge(self, observation: Observation, misses: int, still_for_s: float) -> tuple[HealthVerdict, str]:
        if not observation.runs:
            return HealthVerdict.LOST, "its process is gone"
        if misses >= MISSES:
            return HealthVerdict.LOST, f"it failed {misses} health checks in a row"
        if observation.failed_calls >= FAILED_CALLS:
            return HealthVerdict.LOST, f"it failed {observation.failed_calls} calls in a row"
        if still_for_s >= self.stall_s:
            return HealthVerdict.LOST, f"requests ran for {still_for_s:.0f} s without a step"
        if misses:
            return HealthVerdict.DOUBTFUL, "it failed a health check"
        return HealthVerdict.SERVING, ""
