"""What an engine's metrics say about its load and its prefix cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from workers.engines.engine import MetricNames


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


def read_engine_metrics(names: MetricNames, text: str) -> EngineMetrics:
    """Read the Prometheus text; samples of one name (several engine cores) add up.

    A line that can't be read, or whose value is no finite number, counts as absent.
    """
    sums: dict[str, float] = {}
    for name, value in _samples(text, names.all()):
        sums[name] = sums.get(name, 0.0) + value
    progress = [sums[name] for name in names.progress if name in sums]
    return EngineMetrics(
        running=int(sums.get(names.running, 0)),
        waiting=int(sums.get(names.waiting, 0)),
        kv_usage=sums.get(names.kv_usage),
        prefix_queries=sums.get(names.prefix_queries),
        prefix_hits=sums.get(names.prefix_hits),
        generated_tokens=sums.get(names.generated_tokens),
        progress=sum(progress) if progress else None,
    )


def _samples(text: str, names: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    """Yield name and value of the samples that are read here: an engine writes hundreds of others."""
    for line in text.split("\n"):
        if line.startswith(names):
            yield from _sample(line)


def _sample(line: str) -> Iterator[tuple[str, float]]:
    # Line by line, because the parser gives up the whole text at the first line that is off.
    try:
        for family in text_string_to_metric_families(line):
            for sample in family.samples:
                value = float(sample.value)
                if math.isfinite(value):
                    yield sample.name, value
    except (ValueError, LookupError, OverflowError):
        return
