"""A model that no worker serves: what is asked of it waits, its load says so, also when its worker has died."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

import redis
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.fleet import Fleet
from tests.support.observer import Observer, until, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port

WITHIN = 180.0


def test_a_plan_for_a_model_at_zero_waits_for_its_first_worker(tmp_path: Path, guard: Guard) -> None:
    port = free_port()
    patient = {"CONCLAVE_POLICY_MODEL_WAIT_S": "300", "CONCLAVE_POLICY_SWEEP_AFTER_S": "1"}

    def figure(name: str, model: str) -> float | None:
        with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=30) as response:
            families = text_string_to_metric_families(response.read().decode())
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return next((sample.value for sample in samples if sample.labels == {"model": model}), None)

    with (
        NatsServer(tmp_path / "nats", guard=guard) as server,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine() as engine,
        Fleet(
            tmp_path, guard, nats_url=server.url, redis_url=valkey.url, engine_url=engine.openai_url, env=patient
        ) as fleet,
        redis.Redis.from_url(valkey.url) as client,
    ):
        councils = services_of(server.url, valkey.url, fleet.model).councils.all()
        (agents,) = (council.agents for council in councils if council.role == "DEV")
        worker = fleet.worker()
        for service in (fleet.bridge(CONCLAVE_METRICS_PORT=str(port)), fleet.control(), fleet.beat()):
            service.start()

        async def scenario(observer: Observer) -> None:
            asked = approval(roles=["DEV"])
            await observer.publish(APPROVED, asked)
            # More messages than agents: the sweep has looked, queued their tasks again and given none up.
            await until(
                lambda: client.llen(f"conclave:broker:llm.{fleet.model}") > len(agents),
                within=WITHIN,
                what=lambda: "nothing is queued again",
            )
            assert figure("conclave_model_load", fleet.model) == len(agents)
            assert figure("conclave_engines", fleet.model) == 0
            await asyncio.to_thread(worker.start)
            (decided,) = await observer.wait(COMPLETED, within=WITHIN, plan_id=asked["plan_id"])
            assert decided.body["degraded"] is False
            # The copies are taken too, and ask nothing.
            await until(
                lambda: figure("conclave_model_load", fleet.model) == 0, within=WITHIN, what=lambda: "load stays"
            )
            assert len(decided.body["decisions"]) == len(agents)

            engine.script.latency_s = WITHIN
            asked_then = len(engine.bodies)
            await observer.publish(APPROVED, approval(roles=["DEV"]))
            await until(lambda: len(engine.bodies) > asked_then, within=WITHIN, what=lambda: "no call")
            await asyncio.to_thread(worker.kill9)
            # What a worker held that died is in the figure again once another may take it.
            await until(
                lambda: figure("conclave_model_load", fleet.model) == len(agents),
                within=WITHIN,
                what=lambda: f"load is {figure('conclave_model_load', fleet.model)}",
            )

        watching(server.url, scenario)
