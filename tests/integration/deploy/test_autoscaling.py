"""KEDA's objects scale what exists by figures that bridges show."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from domain.policy import Policy
from tests.support.factories import agent, council
from tests.support.helm import NAMESPACE, Manifest, installed
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.council_registry import MemoryCouncilRegistry
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.in_memory.parking import MemoryParking
from tests.support.stores import memory_stores
from workers.metrics.readings import ReadingCollector, store_readings, supply_readings


def scaled(variant: str) -> dict[str, Manifest]:
    found = installed(variant).of_kind("ScaledObject")
    return {name.removeprefix("conclave-"): manifest["spec"] for name, manifest in found.items()}


def shown(model: str) -> set[str]:
    """Return every figure that a bridge shows of its installation, as PromQL selects it."""
    clock = MemoryClock()
    stores, councils = memory_stores(clock), MemoryCouncilRegistry()
    councils.save(council("DEV", agents=(agent(model=model),)))
    of_store = store_readings(
        stores.deliberations, stores.places, stores.verdicts, MemoryOutbox(clock=clock), MemoryParking(), clock
    )
    of_supply = supply_readings(
        councils, MemoryEngineDirectory(clock=clock), lambda queues: [0] * len(queues), default_model=model
    )
    registry = CollectorRegistry()
    registry.register(ReadingCollector(of_store, of_supply))
    samples = [sample for family in registry.collect() for sample in family.samples]
    return {sample.name + selector(sample.labels) for sample in samples}


def selector(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""


@pytest.mark.parametrize(
    ("variant", "parts"),
    [
        ("as it comes", set()),
        ("autoscaled", {"control", "model-smollm2"}),
        ("gpu", {"control", "model-qwen", "model-mistral"}),  # an external engine's worker costs next to nothing
    ],
)
def test_control_and_every_engine_of_ours_are_scaled(variant: str, parts: set[str]) -> None:
    assert set(scaled(variant)) == parts


@pytest.mark.parametrize("variant", ["autoscaled", "gpu"])
def test_what_is_scaled_exists_and_leaves_its_number_to_keda(variant: str) -> None:
    workloads = installed(variant).workloads
    for part, spec in scaled(variant).items():
        assert spec["scaleTargetRef"]["name"] == f"conclave-{part}"
        assert "replicas" not in workloads[part]["spec"]
        assert 0 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]
    rest = set(workloads) - set(scaled(variant))
    assert all(workloads[part]["spec"]["replicas"] >= 1 for part in rest)


@pytest.mark.parametrize("variant", ["autoscaled", "gpu"])
def test_triggers_read_figures_that_a_bridge_shows_also_of_a_model_without_an_engine(variant: str) -> None:
    url = f"http://conclave-bridge.{NAMESPACE}.svc:9100/metrics"
    for part, spec in scaled(variant).items():
        args = installed(variant).container(part)["args"]
        model = args[args.index("--model") + 1] if "--model" in args else "any"
        for trigger in spec["triggers"]:
            assert trigger["type"] == "metrics-api"
            assert trigger["metadata"].keys() == {"url", "format", "valueLocation", "targetValue"}
            assert all(isinstance(value, str) for value in trigger["metadata"].values())
            assert (trigger["metadata"]["url"], trigger["metadata"]["format"]) == (url, "prometheus")
            assert trigger["metadata"]["valueLocation"] in shown(model)
            assert (f'"{model}"' in trigger["metadata"]["valueLocation"]) is part.startswith("model-")


@pytest.mark.parametrize("variant", ["autoscaled", "gpu"])
def test_a_model_outlasts_a_deliberation_and_a_deliberation_waits_for_a_model(variant: str) -> None:
    environment = installed(variant).environment("control")
    deadline = float(environment.get("CONCLAVE_POLICY_DEADLINE_S", Policy().deadline_s))
    waits = float(environment["CONCLAVE_POLICY_MODEL_WAIT_S"])
    assert Policy().model_wait_s < waits < deadline
    cooldowns = [spec["cooldownPeriod"] for part, spec in scaled(variant).items() if part != "control"]
    assert min(cooldowns) > deadline


def test_control_workers_are_never_at_zero() -> None:
    assert scaled("gpu")["control"]["minReplicaCount"] >= 2
