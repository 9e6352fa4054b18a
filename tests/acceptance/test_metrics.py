"""/metrics of real processes: everything that the dashboard and the alerts read exists, and moves in a run."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import nats
import pytest
from prometheus_client.parser import text_string_to_metric_families

from domain.services import Services
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support import promql
from tests.support.factories import agent, council
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, until, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.sections import sections
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.spoilt_tasks import with_body
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port

OWN = "own-engine"
ENGINE = [sys.executable, "-m", "tests.support.scripted_engine"]
# Slow enough to be met at work: an engine's own metrics are read every five seconds.
OWN_ENGINE = {
    "CONCLAVE_ENGINE_URL": "",
    "CONCLAVE_MODEL": OWN,
    "CONCLAVE_ENGINE_KIND": "vllm",
    "CONCLAVE_ENGINE_COMMAND": json.dumps(ENGINE),
    "CONCLAVE_ENGINE_EXTRA_ARGS": '["--latency", "6", "--waiting", "2"]',
    "CONCLAVE_ENGINE_PROBE_EVERY_S": "0.2",
    "CONCLAVE_ENGINE_LEASE_S": "5",
}


@dataclass
class Measured:
    """A fleet whose processes serve metrics, and the greatest value of every series ever seen."""

    fleet: Fleet
    nats: NatsServer
    valkey: ValkeyServer
    engine: ScriptedEngine
    services: Services
    control: Service
    bridge: Service
    ports: dict[str, int]
    highest: dict[str, float] = field(default_factory=dict)

    def look(self) -> dict[str, float]:
        """Scrape every process; return the highest values so far, by the names that PromQL reads."""
        for port in self.ports.values():
            with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=30) as response:
                families = list(text_string_to_metric_families(response.read().decode()))
            for sample in (sample for family in families for sample in family.samples):
                self.highest[sample.name] = max(sample.value, self.highest.get(sample.name, 0.0))
        return self.highest

    async def until_moved(self, *names: str) -> None:
        """Return when these have been above zero."""

        def still() -> list[str]:
            seen = self.look()
            return [name for name in names if not seen.get(name)]

        await until(lambda: not still(), within=60, what=lambda: f"never above zero: {still()}")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Measured]:
    folder = tmp_path_factory.mktemp("metrics")
    ports = {name: free_port() for name in ("bridge", "control", "model", "own", "beat")}

    def port(name: str) -> dict[str, str]:
        return {"CONCLAVE_METRICS_PORT": str(ports[name])}

    with (
        NatsServer(folder / "nats", guard=guard) as server,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.1) as engine,
        Fleet(folder, guard, nats_url=server.url, redis_url=valkey.url, engine_url=engine.openai_url) as fleet,
    ):
        services = services_of(server.url, valkey.url, fleet.model)
        mixed = [
            agent.model_copy(update={"model": OWN if not n else None}) for n, agent in enumerate(council().agents)
        ]
        services.councils.save(council("OPS", agents=tuple(mixed)))
        rules = {"CONCLAVE_POLICY_VERDICT_WITHIN_S": "3600", "CONCLAVE_OPEN_PLANS_PER_PUBLISHER": "2"}
        rules["CONCLAVE_POLICY_REVIEW_BALLOTS"] = "listwise"  # one refused call is a ballot
        rules["CONCLAVE_PRICES"] = json.dumps({fleet.model: {"input": 0.1, "output": 0.4}})
        control = fleet.control(threads=8, **rules, **port("control"))
        own = fleet.worker(threads=8, model=OWN, **OWN_ENGINE, **port("own"))
        bridge = fleet.bridge(**port("bridge"))
        rest = [bridge, fleet.worker(threads=8, **port("model")), fleet.beat(**port("beat"))]
        for one in (control, own, *rest):
            one.start(wait=False)
        for one in (control, own, *rest):
            one.wait_ready()
        yield Measured(fleet, server, valkey, engine, services, control, bridge, ports)
        own.stop()


def test_everything_that_dashboard_and_alerts_read_moves_in_a_run(measured: Measured) -> None:
    async def scenario(observer: Observer) -> None:
        await some_decisions(observer)
        await a_publisher_in_a_hurry(observer)
        await a_bad_message(observer)
        await a_spoilt_task()
        await a_task_that_no_worker_takes()
        await the_store_away(observer)
        await nats_away(observer)
        await an_approval_deleted(observer)
        still = {name for name in promql.wanted() if not measured.look().get(name)}
        assert still == set()

    async def some_decisions(observer: Observer) -> None:
        # A refused ballot is asked once more without probabilities, so one is owed only when refused twice: four
        # refusals do that to one or two of three reviewers. One whose proposal failed reviews nothing.
        faults = {"DEV": ["text:400"], "QA": ["ballot:400"] * 4, "OPS": []}
        for role, wanted in faults.items():
            measured.engine.fault(*wanted)
            asked = approval(roles=[role])
            await observer.publish(APPROVED, asked)
            if role == "OPS":
                moving = ("engine_running", "model_load", "tasks_in_flight", "open_deliberations")
                await measured.until_moved(*(f"conclave_{name}" for name in moving))
            await observer.wait(COMPLETED, plan_id=asked["plan_id"])

    async def a_publisher_in_a_hurry(observer: Observer) -> None:
        crowd = [approval(roles=["OPS"]) for _ in range(8)]
        for asked in crowd:
            await observer.publish(APPROVED, asked)
        await measured.until_moved("conclave_plans_waiting")
        for asked in crowd:
            await observer.wait(COMPLETED, within=60, plan_id=asked["plan_id"])

    async def a_bad_message(observer: Observer) -> None:
        await observer.publish(APPROVED, b"approve it!")
        await measured.until_moved("conclave_bridge_rejected_total", "conclave_dead_letters")

    async def a_spoilt_task() -> None:
        broker = sections(measured.valkey.url)["broker"]
        broker.client.lpush(broker.key("control"), json.dumps(with_body({"hello": "world"})))
        await measured.until_moved("conclave_parked")

    async def a_task_that_no_worker_takes() -> None:
        measured.services.councils.save(council("IDLE", agents=(agent(model="at-zero"),)))
        broker = sections(measured.valkey.url)["broker"]
        broker.client.lpush(broker.key("llm.at-zero"), "{}")
        await measured.until_moved("conclave_tasks_waiting")

    async def the_store_away(observer: Observer) -> None:
        """The bridge had asked for messages when the store froze: it gives one back, and fetches no more."""
        first, second = approval(), approval()
        measured.valkey.freeze()
        try:
            await observer.publish(APPROVED, first)
            await measured.until_moved("conclave_bridge_naks_total")
            await observer.publish(APPROVED, second)
            await measured.until_moved("conclave_bridge_pending")
        finally:
            measured.valkey.thaw()
        for one in (first, second):
            await observer.wait(COMPLETED, within=60, plan_id=one["plan_id"])
        await measured.until_moved("conclave_bridge_redelivered_total")

    async def nats_away(observer: Observer) -> None:
        asked = approval(roles=["OPS"])
        await observer.publish(APPROVED, asked)
        await observer.wait("orchestration.deliberation.started", plan_id=asked["plan_id"])
        await asyncio.to_thread(measured.nats.kill9)
        try:
            await measured.until_moved("conclave_outbox_events", "conclave_outbox_age_seconds")
        finally:
            await asyncio.to_thread(measured.nats.start)
        await observer.wait(COMPLETED, within=60, plan_id=asked["plan_id"])

    async def an_approval_deleted(observer: Observer) -> None:
        """It is gone before a bridge could read it. A purge would move the durable, too."""
        await asyncio.to_thread(measured.bridge.stop)
        await observer.publish(APPROVED, approval())
        client = await nats.connect(measured.nats.url)
        stream = client.jetstream()
        state = (await stream.stream_info("PLANNING_EVENTS")).state
        for sequence in range(state.first_seq, state.last_seq + 1):
            await stream.delete_msg("PLANNING_EVENTS", sequence)
        await client.close()
        await asyncio.to_thread(measured.bridge.start)
        await measured.until_moved("conclave_bridge_lost_total")

    watching(measured.nats.url, scenario)


def test_a_worker_whose_metrics_port_is_taken_says_so_and_works(measured: Measured) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval()
        await observer.publish(APPROVED, asked)
        await observer.wait(COMPLETED, plan_id=asked["plan_id"])

    taken = str(measured.ports["bridge"])
    second = measured.fleet.control(threads=8, CONCLAVE_METRICS_PORT=taken).start()
    line = next(line for line in second.log.text().splitlines() if "metrics not served" in line)
    assert json.loads(line)["address"].endswith(f":{taken}")
    measured.control.stop()
    watching(measured.nats.url, scenario)
