"""Figures that are read when somebody looks: of the store, of a bridge, of the engine a worker is pinned to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.statistics import BridgeStatistics
from domain.ports.clock import Clock
from domain.ports.deliberation_index import DeliberationIndex
from domain.ports.engine_directory import EngineRecord
from domain.ports.outbox import Outbox

Reading = tuple[str, str, list[str], list[tuple[list[str], float]]]
"""Name, help, label names, and rows of label values with their figure."""


class Gauges(Collector):
    """Shows what `read` returns at every scrape; a reading that fails is left out, the others stay."""

    def __init__(self, *readings: Callable[[], list[Reading]]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        for read in self._readings:
            try:
                found = read()
            except Exception:  # the store or NATS is away: the scrape shows the rest, and their own alerts fire
                continue
            for name, words, labels, rows in found:
                family = GaugeMetricFamily(name, words, labels=labels)
                for values, figure in rows:
                    family.add_metric(values, figure)
                yield family

    def describe(self) -> Iterator[Metric]:
        """Declare nothing: registering must not read."""
        return iter(())


def store_readings(index: DeliberationIndex, outbox: Outbox, clock: Clock) -> Callable[[], list[Reading]]:
    """Read what is open and what waits to be published."""

    def read() -> list[Reading]:
        oldest = outbox.pending(1)
        age = max(0.0, clock.now() - oldest[0].occurred_at) if oldest else 0.0
        return [
            ("conclave_open_deliberations", "Deliberations not yet ended", [], [([], float(index.count_open()))]),
            ("conclave_outbox_age_seconds", "Age of the oldest unpublished event", [], [([], age)]),
        ]

    return read


def bridge_readings(statistics: BridgeStatistics) -> Callable[[], list[Reading]]:
    """Read a bridge's lag and what it has done."""
    figures = {
        "pending": "Messages that no bridge has fetched",
        "ack_pending": "Messages fetched and not acknowledged",
        "accepted": "Messages taken in by this bridge",
        "rejected": "Messages put among the dead letters by this bridge",
        "handed_back": "Deliveries given back by this bridge",
        "redelivered": "Deliveries after the first",
    }

    def read() -> list[Reading]:
        words = "Whether this bridge is connected to NATS"
        connected: Reading = ("conclave_bridge_connected", words, [], [([], float(statistics.connected))])
        return [connected, *(_by_subject(statistics, name, text) for name, text in figures.items())]

    return read


def _by_subject(statistics: BridgeStatistics, name: str, words: str) -> Reading:
    rows = [([s], float(getattr(one, name))) for s, one in sorted(statistics.subjects.items())]
    return f"conclave_bridge_{name}", words, ["subject"], rows


def engine_readings(model: str, record: Callable[[], EngineRecord | None]) -> Callable[[], list[Reading]]:
    """Read the state of a worker's engine."""

    def read() -> list[Reading]:
        found = record()
        up, running, waiting = (0, 0, 0) if found is None else (1, found.in_flight, found.waiting)
        return [
            (f"conclave_engine_{name}", words, ["model"], [([model], float(figure))])
            for name, words, figure in (
                ("up", "Whether this worker's engine serves", up),
                ("running", "Requests the engine works on", running),
                ("waiting", "Requests that wait in the engine", waiting),
            )
        ]

    return read
