"""The shipped dashboard and alerts read metrics that our processes export, all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from bridge.statistics import BridgeStatistics
from tests.support import promql
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.council_registry import MemoryCouncilRegistry
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.in_memory.parking import MemoryParking
from tests.support.in_memory.plan_places import MemoryPlanPlaces
from tests.support.in_memory.plan_store import MemoryPlanStore
from tests.support.in_memory.verdict_store import MemoryVerdictStore
from workers.metrics.meter import PrometheusMeter
from workers.metrics.readings import (
    ReadingCollector,
    beat_readings,
    bridge_readings,
    engine_readings,
    store_readings,
    supply_readings,
)

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def series(families: Iterable[Metric]) -> set[str]:
    """Return the names under which Prometheus stores these families."""
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


@pytest.fixture(scope="module")
def exported() -> set[str]:
    registry, clock = CollectorRegistry(), MemoryClock()
    outbox = MemoryOutbox(clock=clock)
    deliberations = MemoryDeliberationStore(clock=clock, outbox=outbox)
    verdicts = MemoryVerdictStore(deliberations=deliberations, outbox=outbox)
    plans = MemoryPlanStore(clock=clock)
    places = MemoryPlanPlaces(limit=1, clock=clock, plans=plans, deliberations=deliberations)
    PrometheusMeter(registry)
    engines = MemoryEngineDirectory(clock=clock)
    supply = supply_readings(
        MemoryCouncilRegistry(), engines, lambda queues: [0] * len(queues), default_model="tiny"
    )
    bridge = (
        bridge_readings(BridgeStatistics()),
        store_readings(deliberations, places, verdicts, outbox, MemoryParking(), clock),
        supply,
    )
    engine = engine_readings("tiny", lambda: None, pinned=lambda: True)
    registry.register(ReadingCollector(*bridge, engine, beat_readings(lambda: True)))
    return series(registry.collect())


@pytest.mark.parametrize(("title", "expression"), [*promql.panels(), *promql.alerts()])
def test_every_panel_and_alert_reads_metrics_that_exist(title: str, expression: str, exported: set[str]) -> None:
    read = promql.names(expression)
    assert read
    assert read <= exported | promql.OF_NATS


def test_every_metric_is_read_by_a_panel_or_an_alert(exported: set[str]) -> None:
    families = {name.removesuffix("_sum").removesuffix("_count").removesuffix("_bucket") for name in exported}
    read = {name.removesuffix("_sum").removesuffix("_count").removesuffix("_bucket") for name in promql.wanted()}
    assert families == read


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ("max(a_b) > 0 unless sum(rate(c_total[15m])) > 0", {"a_b", "c_total"}),
        ('sum by (le, role) (rate(x_bucket{role="y", z=~"a.*"}[$__rate_interval]))', {"x_bucket"}),
        ("a / on (role) group_left (team) b or vector(0)", {"a", "b"}),
        ("60 * no_function", {"no_function"}),
    ],
)
def test_names_are_found_in_an_expression(expression: str, read: set[str]) -> None:
    assert promql.names(expression) == read


@pytest.mark.parametrize("rule", promql.rules(), ids=lambda rule: rule["alert"])
def test_every_alert_has_what_prometheus_and_its_reader_need(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[1-9]\d*[smhd]", rule["for"])
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith(".")


OPERATIONS = (Path(__file__).parents[4] / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_page_for_operators_lists_every_metric_and_no_other(exported: set[str]) -> None:
    listed = set(re.findall(r"^\| `(conclave_\w+)` \|", OPERATIONS, flags=re.M))
    assert listed == {re.sub(r"_(sum|count|bucket)$", "", name) for name in exported}


def test_the_page_for_operators_says_what_to_do_for_every_alert() -> None:
    assert re.findall(r"^\| (Conclave\w+) \|", OPERATIONS, flags=re.M) == [name for name, _ in promql.alerts()]
