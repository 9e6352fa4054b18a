"""What an engine's metrics say about its load and its prefix cache."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.engines.engine import MetricNames

SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})?\s+([-+\w.]+)", re.M)
"""One sample of the Prometheus text format; labels are of no interest here, an engine serves one model."""


@dataclass(frozen=True)
class EngineMetrics:
    """Readings at one moment; counters since the engine's start, None where it has no such metric."""

    running: int = 0
    waiting: int = 0
    kv_usage: float | None = None
    """Share of the key-value cache in use, 0 to 1."""
    prefix_queries: float | None = None
    prefix_hits: float | None = None
    generated_tokens: float | None = None
    progress: float | None = None
    """Grows while requests run, within an answer too."""

    @property
    def hit_rate(self) -> float | None:
        """Share of looked-up prompt tokens that the prefix cache held; None without a lookup."""
        if not self.prefix_queries or self.prefix_hits is None:
            return None
        return self.prefix_hits / self.prefix_queries


def read_engine_metrics(gauges: MetricNames, text: str) -> EngineMetrics:
    """Read the Prometheus text; samples of one name (several engine cores) add up."""
    sums: dict[str, float] = {}
    for name, value in _samples(text):
        sums[name] = sums.get(name, 0.0) + value
    counted = [sums[name] for name in gauges.progress if name in sums]
    return EngineMetrics(
        running=int(sums.get(gauges.running, 0)),
        waiting=int(sums.get(gauges.waiting, 0)),
        kv_usage=sums.get(gauges.kv_usage),
        prefix_queries=sums.get(gauges.prefix_queries),
        prefix_hits=sums.get(gauges.prefix_hits),
        generated_tokens=sums.get(gauges.generated_tokens),
        progress=sum(counted) if counted else None,
    )


def _samples(text: str) -> Iterator[tuple[str, float]]:
    for name, value in SAMPLE.findall(text):
        try:
            number = float(value)
        except ValueError:
            continue
        if number == number and abs(number) != float("inf"):
            yield name, number
