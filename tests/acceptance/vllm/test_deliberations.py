"""Whole deliberations through the real vLLM: guided ballots, kills in mid-work, two models in one council."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import psutil
import pytest

from domain.contract import CompletedBody
from domain.council import Agent, Council
from domain.event_types import COMPLETED
from domain.identity import deliberation_id
from domain.plan import PlanRequest
from domain.record import Record
from domain.services import Services
from tests.support.factories import fresh, plan, plan_request
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.vllm import build
from tests.support.vllm.serve import READY_WITHIN_S, environment, vllm_spec
from workers.app import make_app
from workers.composition import Composition
from workers.engines.llama_server import llama_server
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import wait_until
from workers.settings import Settings

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1800)]
DECIDED_WITHIN_S = 420.0
LLAMA = "smollm2-llama"


@dataclass
class Node:
    """A fleet whose model worker owns a real vLLM."""

    fleet: Fleet
    services: Services
    model: str
    worker: Service
    nats_url: str
    llama_port: int
    """Where a second engine may listen, which the control worker may call."""

    def engine_pid(self) -> int:
        """Return the process that listens where the directory says vLLM is."""
        (record,) = self.services.engines.serving(self.model)
        port = int(record.url.rsplit(":", 1)[1].split("/")[0])
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
                return one.pid
        raise AssertionError(f"nothing listens on port {port}")

    def ask(self, role: str, *, max_tokens: int = 96) -> PlanRequest:
        wanted = plan(roles=(role,), title=fresh("Reset a password"), constraints={"max_tokens": max_tokens})
        request = plan_request(wanted)
        self.services.dispatcher.plans([request])
        return request

    def record(self, request: PlanRequest) -> Record | None:
        identity = deliberation_id(request.plan.plan_id, request.plan.roles[0], request.revision)
        try:
            return self.services.deliberations.load(identity)
        except LookupError:
            return None

    def decided(self, request: PlanRequest) -> tuple[Record, CompletedBody]:
        found = self.until(request, lambda record: record.closed is not None, within=DECIDED_WITHIN_S)
        assert found.closed is not None
        assert found.closed.decision is not None, found.closed.reason
        return found, found.closed.decision

    def published(self, record: Record) -> int:
        """Count the completed events of a deliberation in the stream, once there is one."""
        identity = record.deliberation.deliberation_id
        assert wait_until(lambda: asyncio.run(completed(self.nats_url, identity)) > 0, within=120)
        return asyncio.run(completed(self.nats_url, identity))

    def until(self, request: PlanRequest, condition: Callable[[Record], bool], *, within: float) -> Record:
        def holds() -> bool:
            record = self.record(request)
            return record is not None and condition(record)

        assert wait_until(holds, within=within), f"not within {within} s: {self.worker.log.tail()}"
        found = self.record(request)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Node]:
    build.build()
    folder: Path = tmp_path_factory.mktemp("vllm-fleet")
    spec = vllm_spec(folder / "engines")
    llama_port = free_port()
    env = environment(spec) | {
        "CONCLAVE_POLICY_DEADLINE_S": "900",
        "CONCLAVE_POLICY_CALL_TIMEOUT_S": "300",
        "CONCLAVE_EXTERNAL_ENGINES": json.dumps({f"http://127.0.0.1:{llama_port}/v1": ""}),
    }
    with (
        NatsServer(folder / "nats", guard=guard) as broker,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        Fleet(folder, guard, nats_url=broker.url, redis_url=valkey.url, model=spec.model, env=env) as fleet,
    ):
        servers = {"nats": {"url": broker.url}, "redis_url": valkey.url}
        settings = Settings.model_validate({**servers, "model": spec.model})
        services = Composition(settings).services(make_app(settings))
        worker = fleet.worker()
        for one in (fleet.bridge(), fleet.control(), fleet.beat(), worker):
            one.start()
        services.councils.save(council("DEV", None, None, None))
        assert wait_until(lambda: bool(services.engines.serving(spec.model)), within=READY_WITHIN_S), (
            worker.log.tail(20)
        )
        node = Node(fleet, services, spec.model, worker, broker.url, llama_port)
        yield node
        pid = node.engine_pid()
        assert worker.stop() == 0
        assert wait_until(lambda: not psutil.pid_exists(pid), within=120), "vLLM outlived its worker"


def council(role: str, *models: str | None) -> Council:
    agents = (Agent(agent_id=f"{role}-{n}".lower(), model=model, seed=n) for n, model in enumerate(models))
    return Council(role=role, agents=tuple(agents))


def test_a_deliberation_is_decided_by_guided_ballots(node: Node) -> None:
    record, decision = node.decided(node.ask("DEV"))
    assert record.failures() == ()
    assert [cast for cast in record.ballots() if cast.missing] == []
    assert sorted(proposal for cast in record.ballots() for proposal in cast.scores) == [
        f"dev-{number}@0" for number in range(3)
    ]
    for cast in record.ballots():
        assert cast.usage.completion_tokens <= 30 * len(cast.scores)
        assert cast.expected.keys() == cast.scores.keys()
    assert decision.models == (node.model,)
    assert len(decision.decisions) == 3


def test_vllm_killed_while_agents_propose_fails_nobody(node: Node) -> None:
    request = node.ask("DEV", max_tokens=256)
    node.until(request, lambda record: True, within=60)
    assert wait_until(lambda: busy(node), within=60), "no proposal came to the engine"
    os.kill(node.engine_pid(), signal.SIGKILL)
    record, decision = node.decided(request)
    assert record.failures() == ()
    assert decision.degraded is False
    assert node.published(record) == 1


def test_vllm_killed_while_the_council_votes_fails_nobody(node: Node) -> None:
    assert wait_until(lambda: bool(node.services.engines.serving(node.model)), within=READY_WITHIN_S)
    request = node.ask("DEV", max_tokens=64)
    node.until(request, lambda record: not record.unanswered(), within=DECIDED_WITHIN_S)
    os.kill(node.engine_pid(), signal.SIGKILL)
    record, decision = node.decided(request)
    assert record.failures() == ()
    assert [cast for cast in record.ballots() if cast.missing] == []
    assert decision.degraded is False
    assert node.published(record) == 1


def test_two_models_on_two_engines_serve_one_council(node: Node) -> None:
    assert wait_until(lambda: bool(node.services.engines.serving(node.model)), within=READY_WITHIN_S)
    port = node.llama_port
    env: dict[str, Any] = {
        "CONCLAVE_ENGINE_URL": f"http://127.0.0.1:{port}/v1",
        "CONCLAVE_ENGINE_GUIDANCE": "grammar",
        "CONCLAVE_ENGINE_SLOTS": "4",
        "CONCLAVE_MODEL": LLAMA,
    }
    node.fleet.add(llama_server(port=port, model=LLAMA)).start()
    node.fleet.worker(model=LLAMA, **env).start()
    node.services.councils.save(council("MIXED", node.model, LLAMA, node.model))
    record, decision = node.decided(node.ask("MIXED", max_tokens=64))
    models = {row.proposal.author.agent_id: row.proposal.model for row in decision.decisions}
    assert models == {"mixed-0": node.model, "mixed-1": LLAMA, "mixed-2": node.model}
    assert {cast.model for cast in record.ballots()} == {node.model, LLAMA}
    assert {cast.missing for cast in record.ballots()} == {None}


async def completed(url: str, identity: str) -> int:
    client = await nats.connect(url)
    stream = client.jetstream()
    last = (await stream.stream_info("ORCHESTRATOR_EVENTS")).state.last_seq
    messages = [await stream.get_msg("ORCHESTRATOR_EVENTS", seq) for seq in range(1, last + 1)]
    await client.close()
    bodies = [json.loads(one.data or b"{}") for one in messages if one.subject == COMPLETED]
    return sum(body["deliberation_id"] == identity for body in bodies)


def busy(node: Node) -> bool:
    return any(record.in_flight for record in node.services.engines.serving(node.model))
