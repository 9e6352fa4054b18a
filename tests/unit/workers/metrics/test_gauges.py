"""Figures read at a scrape: present where they can be read, and no scrape fails where they can't."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from bridge.statistics import BridgeStatistics, SubjectStatistics
from tests.support.factories import event, fresh
from workers.adapters.memory.clock import MemoryClock
from workers.adapters.memory.deliberation_index import MemoryDeliberationIndex
from workers.adapters.memory.deliberation_store import MemoryDeliberationStore
from workers.adapters.memory.outbox import MemoryOutbox
from workers.metrics.gauges import Gauges, Reading, bridge_readings, engine_readings, store_readings


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_the_outbox_shows_how_many_wait_and_for_how_long(registry: CollectorRegistry) -> None:
    clock = MemoryClock()
    outbox = MemoryOutbox(clock=clock)
    index = MemoryDeliberationIndex(MemoryDeliberationStore(clock=clock, outbox=outbox))
    registry.register(Gauges(store_readings(index, outbox, clock)))
    assert registry.get_sample_value("conclave_outbox_age_seconds") == 0
    outbox.put([event(occurred_at=clock.now()), event(occurred_at=clock.now() - 5)])
    clock.advance(7)
    assert registry.get_sample_value("conclave_outbox_age_seconds") == 12
    assert registry.get_sample_value("conclave_outbox_events") == 2
    assert registry.get_sample_value("conclave_open_deliberations") == 0


def test_a_bridge_shows_its_lag_and_its_counts_by_subject(registry: CollectorRegistry) -> None:
    subject = fresh("subject")
    statistics = BridgeStatistics({subject: SubjectStatistics(pending=3, rejected=2)}, dead_letters=5)
    registry.register(Gauges(bridge_readings(statistics)))
    labels = {"subject": subject}
    assert registry.get_sample_value("conclave_bridge_pending", labels) == 3
    assert registry.get_sample_value("conclave_bridge_rejected_total", labels) == 2
    assert registry.get_sample_value("conclave_dead_letters") == 5
    assert registry.get_sample_value("conclave_bridge_connected") == 0
    statistics.connected = True
    assert registry.get_sample_value("conclave_bridge_connected") == 1


def test_an_engine_without_a_record_is_down(registry: CollectorRegistry) -> None:
    registry.register(Gauges(engine_readings("tiny", lambda: None)))
    assert registry.get_sample_value("conclave_engine_up", {"model": "tiny"}) == 0


def test_a_reading_that_fails_leaves_the_others_in_the_scrape(registry: CollectorRegistry) -> None:
    def away() -> list[Reading]:
        raise ConnectionError("the store is away")

    registry.register(Gauges(away, lambda: [Reading("there", "Still", {"": 1.0})]))
    assert registry.get_sample_value("there") == 1
