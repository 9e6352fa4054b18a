"""Figures read at a scrape: present where they can be read, and no scrape fails where they can't."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from bridge.statistics import BridgeStatistics, SubjectStatistics
from domain.engine import EngineKind, EngineRecord, Guidance
from tests.support.factories import agent, council, event, fresh, plan_request
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.council_registry import MemoryCouncilRegistry
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.in_memory.parking import MemoryParking
from tests.support.stores import memory_stores
from workers.metrics.readings import (
    Reading,
    ReadingCollector,
    bridge_readings,
    engine_readings,
    store_readings,
    supply_readings,
)

MODELS = ("served", "starting", "unserved", "architect", "default", "spare")


def engine(model: str, *, ready: bool, **figures: int) -> EngineRecord:
    return EngineRecord(
        name=fresh(model),
        model=model,
        url="http://127.0.0.1:9/v1",
        kind=EngineKind.VLLM,
        guidance=Guidance.REGEX,
        ready=ready,
        **figures,
    )


def none_waiting(queues: Sequence[str]) -> list[int]:
    return [0] * len(queues)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_the_outbox_shows_how_many_wait_and_for_how_long(registry: CollectorRegistry) -> None:
    clock = MemoryClock()
    outbox = MemoryOutbox(clock=clock)
    stores = memory_stores(clock)
    readings = store_readings(stores.deliberations, stores.places, stores.verdicts, outbox, MemoryParking(), clock)
    registry.register(ReadingCollector(readings))
    assert registry.get_sample_value("conclave_awaiting_verdicts") == 0
    assert registry.get_sample_value("conclave_outbox_age_seconds") == 0
    outbox.put([event(occurred_at=clock.now()), event(occurred_at=clock.now() - 5)])
    clock.advance(7)
    assert registry.get_sample_value("conclave_outbox_age_seconds") == 12
    assert registry.get_sample_value("conclave_outbox_events") == 2
    assert registry.get_sample_value("conclave_open_deliberations") == 0


def test_plans_that_wait_for_a_place_are_counted(registry: CollectorRegistry) -> None:
    clock = MemoryClock()
    outbox = MemoryOutbox(clock=clock)
    stores = memory_stores(clock, places=1)
    readings = store_readings(stores.deliberations, stores.places, stores.verdicts, outbox, MemoryParking(), clock)
    registry.register(ReadingCollector(readings))
    assert registry.get_sample_value("conclave_plans_waiting") == 0
    requests = [plan_request() for _ in range(3)]
    stores.plans.save(requests)
    for request in requests:
        stores.places.take(request)
    assert registry.get_sample_value("conclave_plans_waiting") == 2


def test_a_bridge_shows_its_lag_and_its_counts_by_subject(registry: CollectorRegistry) -> None:
    subject = fresh("subject")
    statistics = BridgeStatistics({subject: SubjectStatistics(pending=3, rejected=2)}, dead_letters=5)
    registry.register(ReadingCollector(bridge_readings(statistics)))
    labels = {"subject": subject}
    assert registry.get_sample_value("conclave_bridge_pending", labels) == 3
    assert registry.get_sample_value("conclave_bridge_rejected_total", labels) == 2
    assert registry.get_sample_value("conclave_dead_letters") == 5
    assert registry.get_sample_value("conclave_bridge_connected") == 0
    statistics.connected = True
    assert registry.get_sample_value("conclave_bridge_connected") == 1


@pytest.mark.parametrize(("pinned", "shown"), [(True, 0.0), (False, None)])
def test_an_engine_without_a_record_is_down_and_a_worker_without_an_engine_shows_none(
    registry: CollectorRegistry, pinned: bool, shown: float | None
) -> None:
    registry.register(ReadingCollector(engine_readings("tiny", lambda: None, pinned=lambda: pinned)))
    assert registry.get_sample_value("conclave_engine_up", {"model": "tiny"}) == shown


def test_a_model_that_a_council_asks_for_and_nobody_serves_is_shown_with_none(registry: CollectorRegistry) -> None:
    councils, engines = MemoryCouncilRegistry(), MemoryEngineDirectory(clock=MemoryClock())
    asked = tuple(agent(model=model) for model in ("served", "starting", "unserved", None))
    councils.save(council("DEV", agents=asked, architect=agent(model="architect")))
    for model, ready in (("served", True), ("served", True), ("starting", False), ("spare", True)):
        engines.publish(engine(model, ready=ready), ttl_s=60)
    registry.register(ReadingCollector(supply_readings(councils, engines, none_waiting, default_model="default")))
    shown = {model: registry.get_sample_value("conclave_engines", {"model": model}) for model in MODELS}
    assert shown == {"served": 2, "starting": 0, "unserved": 0, "architect": 0, "default": 0, "spare": 1}


def test_a_models_load_is_what_waits_for_it_and_what_its_engines_hold(registry: CollectorRegistry) -> None:
    councils, engines = MemoryCouncilRegistry(), MemoryEngineDirectory(clock=MemoryClock())
    councils.save(council("DEV", agents=tuple(agent(model=model) for model in ("at-zero", "busy", "idle"))))
    engines.publish(engine("busy", ready=True, in_flight=5, waiting=2), ttl_s=60)
    engines.publish(engine("busy", ready=False, in_flight=3), ttl_s=60)
    engines.publish(engine("idle", ready=True), ttl_s=60)
    lengths = {"control": 4, "llm.at-zero": 6, "llm.busy": 1}

    def waiting(queues: Sequence[str]) -> list[int]:
        return [lengths.get(queue, 0) for queue in queues]

    registry.register(ReadingCollector(supply_readings(councils, engines, waiting, default_model="idle")))
    load = {
        model: registry.get_sample_value("conclave_model_load", {"model": model})
        for model in ("at-zero", "busy", "idle")
    }
    assert load == {"at-zero": 6, "busy": 11, "idle": 0}
    waits = {
        queue: registry.get_sample_value("conclave_tasks_waiting", {"queue": queue})
        for queue in (*lengths, "llm.idle")
    }
    assert waits == {**lengths, "llm.idle": 0}


def test_a_reading_that_fails_leaves_the_others_in_the_scrape(registry: CollectorRegistry) -> None:
    def away() -> list[Reading]:
        raise ConnectionError("the store is away")

    registry.register(ReadingCollector(away, lambda: [Reading("there", "Still", {"": 1.0})]))
    assert registry.get_sample_value("there") == 1
