"""Figures that are read at a scrape: of the store, of a bridge, of the engine a worker is pinned to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.statistics import BridgeStatistics
from domain.engine import EngineRecord
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.engine_directory import EngineDirectory
from domain.ports.outbox import Outbox
from domain.ports.parking import Parking
from domain.ports.plan_places import PlanPlaces
from domain.ports.verdict_store import VerdictStore
from tasks.queue_names import CONTROL, model_queue_name


@dataclass(frozen=True)
class Reading:
    """One metric as it is now."""

    name: str
    words: str
    values: Mapping[str, float]
    """The label's value → figure; "" → figure where there is no label."""
    label: str = ""
    counter: bool = False
    """It only grows while its process lives; Prometheus adds `_total` to its name."""

    def family(self) -> Metric:
        """Return it as Prometheus' client wants it."""
        kind = CounterMetricFamily if self.counter else GaugeMetricFamily
        family = kind(self.name, self.words, labels=[self.label] if self.label else [])
        for value, figure in self.values.items():
            family.add_metric([value] if self.label else [], figure)
        return family


class ReadingCollector(Collector):
    """Shows what `read` returns at every scrape; a reading that fails is left out, the others stay."""

    def __init__(self, *readings: Callable[[], list[Reading]]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        for read in self._readings:
            try:
                found = read()
            except Exception:  # the store or NATS is away: the scrape shows the rest, and their own alerts fire
                continue
            yield from (reading.family() for reading in found)

    def describe(self) -> Iterator[Metric]:
        """Declare nothing: registering must not read."""
        return iter(())


def store_readings(
    deliberations: DeliberationStore,
    places: PlanPlaces,
    verdicts: VerdictStore,
    outbox: Outbox,
    parking: Parking,
    clock: Clock,
) -> Callable[[], list[Reading]]:
    """Read what is open, what awaits a verdict, what waits to be published and what lies aside."""

    def read() -> list[Reading]:
        oldest = outbox.pending(1)
        age = max(0.0, clock.now() - oldest[0].occurred_at) if oldest else 0.0
        open_count, waiting = float(deliberations.count_open()), float(places.count_waiting())
        awaiting = float(verdicts.count_awaiting())
        return [
            Reading("conclave_open_deliberations", "Deliberations not yet ended", {"": open_count}),
            Reading("conclave_plans_waiting", "Plans whose publisher has no place free", {"": waiting}),
            Reading("conclave_awaiting_verdicts", "Decisions that await a verdict", {"": awaiting}),
            Reading("conclave_outbox_events", "Events saved and not yet published", {"": float(outbox.count())}),
            Reading("conclave_parked", "Tasks and queued messages that lie aside", {"": float(parking.count())}),
            Reading("conclave_outbox_age_seconds", "Age of the oldest unpublished event", {"": age}),
        ]

    return read


LEVELS = {
    "pending": "Messages that no bridge has fetched",
    "ack_pending": "Messages fetched and not acknowledged",
}
COUNTS = {
    "accepted": "Messages accepted by this bridge",
    "rejected": "Messages that this bridge made dead letters",
    "naks": "Deliveries that this bridge answered with a nak",
    "redelivered": "Deliveries after the first",
    "lost": "Messages that left their stream unread, at most, as told by this bridge",
}


def bridge_readings(statistics: BridgeStatistics) -> Callable[[], list[Reading]]:
    """Read a bridge's lag, its counters, the number of dead letters and how full the streams are."""

    def by_subject(name: str, words: str, *, counter: bool) -> Reading:
        subjects = sorted(statistics.subjects.items())
        values = {subject: float(getattr(counters, name)) for subject, counters in subjects}
        return Reading(f"conclave_bridge_{name}", words, values, label="subject", counter=counter)

    def read() -> list[Reading]:
        connected, dead_letters = float(statistics.connected), float(statistics.dead_letters)
        return [
            Reading("conclave_bridge_connected", "Whether this bridge is connected to NATS", {"": connected}),
            Reading("conclave_dead_letters", "Messages in the dead-letter stream", {"": dead_letters}),
            Reading(
                "conclave_stream_fill",
                "How near a stream is to refusing messages or dropping unread ones",
                statistics.fill,
                label="stream",
            ),
            *(by_subject(name, words, counter=False) for name, words in LEVELS.items()),
            *(by_subject(name, words, counter=True) for name, words in COUNTS.items()),
        ]

    return read


def supply_readings(
    councils: CouncilRegistry,
    engines: EngineDirectory,
    tasks_waiting: Callable[[Sequence[str]], Sequence[int]],
    *,
    default_model: str,
) -> Callable[[], list[Reading]]:
    """Read engines, load and waiting tasks of every model that some council asks for or some engine serves.

    `tasks_waiting` returns how many tasks wait in each of these queues. A model's figures are there, as 0, when no
    engine serves it: what scales model workers from none has nothing else to read.
    """

    def read() -> list[Reading]:
        asked = {agent.model or default_model for council in councils.all() for agent in council.members}
        live = engines.all()
        models = sorted(asked | {engine.model for engine in live})
        queues = [CONTROL, *map(model_queue_name, models)]
        waiting = dict(zip(queues, map(float, tasks_waiting(queues)), strict=True))
        ready, load = Counter(engine.model for engine in live if engine.ready), Counter[str]()
        for engine in live:
            load[engine.model] += engine.in_flight + engine.waiting
        supply = {model: float(ready[model]) for model in models}
        demand = {model: load[model] + waiting[model_queue_name(model)] for model in models}
        return [
            Reading("conclave_engines", "Engines that take calls, wherever they are", supply, label="model"),
            Reading("conclave_model_load", "Proposals that wait, and requests in engines", demand, label="model"),
            Reading("conclave_tasks_waiting", "Tasks that no worker has taken", waiting, label="queue"),
        ]

    return read


def engine_readings(
    model: str, record: Callable[[], EngineRecord | None], *, pinned: Callable[[], bool]
) -> Callable[[], list[Reading]]:
    """Read the state of the engine that this worker is pinned to; nothing where it is to none."""

    def read() -> list[Reading]:
        if not pinned():
            return []
        found = record()
        up, running, waiting = (0, 0, 0) if found is None else (1, found.in_flight, found.waiting)
        return [
            Reading(f"conclave_engine_{name}", words, {model: float(figure)}, label="model")
            for name, words, figure in (
                ("up", "Whether this worker's engine serves", up),
                ("running", "Requests the engine works on", running),
                ("waiting", "Requests that wait in the engine", waiting),
            )
        ]

    return read


def beat_readings(acts: Callable[[], bool | None]) -> Callable[[], list[Reading]]:
    """Read whether this process is the beat that sends; nothing in a process that is none."""

    def read() -> list[Reading]:
        found = acts()
        words = "Whether this beat is the one that sends"
        return [] if found is None else [Reading("conclave_beat_acts", words, {"": float(found)})]

    return read
