"""The pipeline runs with each process as its own user, and none may do more than the shipped files allow."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest

from domain.redeliberation import RepeatChoice
from tests.acceptance.conftest import services_of
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.scripted_engine import ScriptedEngine
from tests.support.secured import SecuredNats, SecuredValkey
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers, wait_until
from workers.settings import Settings
from workers.web_process import web_ports

WITHIN = 120.0
QUEUES = {"control", "llm.scripted"}


LOGIN = "ops:s3cret-of-flower"


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory,
    guard: Guard,
    secured_nats: SecuredNats,
    secured_valkey: SecuredValkey,
) -> Iterator[tuple[Path, str]]:
    """Run a bridge, two workers, beat and Flower under their users; gives their logs' folder, Flower's URL."""
    folder = tmp_path_factory.mktemp("least-privilege")

    def fleet(user: str) -> Fleet:
        return Fleet(
            folder,
            guard,
            nats_url=secured_nats.url_of(user),
            redis_url=secured_valkey.url_of(user),
            engine_url=engine.openai_url,
        )

    with (
        ScriptedEngine(latency_s=0.01) as engine,
        fleet("bridge") as bridge,
        fleet("worker") as worker,
        fleet("flower") as flower,
    ):
        services_of(secured_nats.url_of("worker"), secured_valkey.url_of("worker"), worker.model)
        port = free_port()
        running = [bridge.bridge(), worker.control(), worker.worker(), worker.beat(), _flower(flower, port)]
        for service in running:
            service.start(wait=False)
        for service in running:
            service.wait_ready()
        yield folder / "logs", f"http://127.0.0.1:{port}"


@pytest.fixture
def logs(installation: tuple[Path, str]) -> Path:
    return installation[0]


@pytest.fixture
def pages(installation: tuple[Path, str]) -> str:
    return installation[1]


def _flower(fleet: Fleet, port: int) -> Service:
    command = (sys.executable, "-m", "workers.cli", "flower", "--port", str(port))
    ready = http_answers(f"http://127.0.0.1:{port}/healthcheck")
    return fleet.add(ProcessCommand("flower", command, {**fleet.env, "CONCLAVE_FLOWER_AUTH": LOGIN}, ready=ready))


def test_an_approval_becomes_a_decision_that_an_observer_hears(logs: Path, secured_nats: SecuredNats) -> None:
    plan = fresh("plan")
    approval = {
        "story_id": fresh("story"),
        "plan_id": plan,
        "approved_by": "po",
        "roles": ["DEV"],
        "timestamp": "2026-01-31T12:00:00Z",
    }
    decision = asyncio.run(_ask(secured_nats, approval))
    assert decision["plan_id"] == plan
    assert len(decision["decisions"]) == 3


async def _ask(server: SecuredNats, approval: dict[str, Any]) -> Any:
    async with (
        await nats.connect(server.url_of("observer")) as observer,
        await nats.connect(server.url_of("publisher")) as publisher,
    ):
        events = await observer.subscribe("orchestration.deliberation.completed")
        await observer.flush()
        await publisher.jetstream().publish("planning.plan.approved", json.dumps(approval).encode())
        async with asyncio.timeout(WITHIN):
            while True:  # the servers are shared: other tests' approvals are decided here, too
                decision = json.loads((await events.next_msg(WITHIN)).data)
                if decision["plan_id"] == approval["plan_id"]:
                    return decision


def test_a_verdict_of_a_client_is_recorded_and_heard(logs: Path, secured_nats: SecuredNats) -> None:
    approval = {
        "story_id": fresh("story"),
        "plan_id": fresh("plan"),
        "approved_by": "po",
        "roles": ["DEV"],
        "timestamp": "2026-01-31T12:00:00Z",
    }
    decision = asyncio.run(_ask(secured_nats, approval))
    said = {
        "deliberation_id": decision["deliberation_id"],
        "verdict": "prefer",
        "proposal": decision["decisions"][1]["proposal"]["author"]["agent_id"],
        "by": "ada",
        "timestamp": "2026-01-31T13:00:00Z",
    }
    judged = asyncio.run(_judge(secured_nats, said))
    assert (judged["deliberation_id"], judged["by"]) == (decision["deliberation_id"], "ada")
    assert judged["proposal"]["proposal_id"] == decision["decisions"][1]["proposal"]["proposal_id"]


async def _judge(server: SecuredNats, said: dict[str, Any]) -> Any:
    async with await nats.connect(server.url_of("client")) as client:
        events = await client.subscribe("orchestration.decision.judged")
        await client.flush()
        await client.jetstream().publish("deliberation.judged", json.dumps(said).encode())
        return json.loads((await events.next_msg(WITHIN)).data)


def test_the_page_orders_another_deliberation_with_its_own_login(
    logs: Path, secured_nats: SecuredNats, secured_valkey: SecuredValkey
) -> None:
    plan_id = fresh("plan")
    approval = {
        "story_id": fresh("story"),
        "plan_id": plan_id,
        "approved_by": "po",
        "roles": ["DEV"],
        "timestamp": "2026-01-31T12:00:00Z",
    }
    decision = asyncio.run(_ask(secured_nats, approval))
    ports = web_ports(Settings(redis_url=secured_valkey.url_of("page")))
    ports.control.redeliberate(decision["deliberation_id"], RepeatChoice(model="scripted"))

    def superseded() -> bool:
        newest = ports.deliberations.load(ports.deliberations.of_plan(plan_id)[0])
        return newest.closed is not None and newest.deliberation.supersedes == decision["deliberation_id"]

    assert wait_until(superseded, within=WITHIN, every=0.2)


def test_flower_shows_workers_queues_and_tasks_with_its_own_login(pages: str, logs: Path) -> None:
    def shown(path: str) -> str:
        login = {"Authorization": "Basic " + base64.b64encode(LOGIN.encode()).decode()}
        with urllib.request.urlopen(urllib.request.Request(f"{pages}{path}", headers=login), timeout=60) as page:
            return str(page.read().decode())

    def told() -> bool:
        workers = json.loads(shown("/api/workers?refresh=true")).values()
        queues = {queue["name"] for worker in workers for queue in worker.get("active_queues", ())}
        return queues == QUEUES and "plan.dispatch" in shown("/api/tasks")

    assert wait_until(told, within=WITHIN, every=0.5)
    lengths = json.loads(shown("/api/queues/length"))["active_queues"]
    assert {queue["name"] for queue in lengths} == QUEUES
    assert all(name in shown("/broker") for name in QUEUES)
    (worker, *_) = json.loads(shown("/api/workers"))
    assert worker in shown("/workers")
    assert "/tasks" in shown("/tasks")
    assert worker in shown(f"/worker/{worker}")


def test_no_process_was_refused_anything(logs: Path) -> None:
    said = {path.name: path.read_text().lower() for path in logs.glob("*.log")}
    assert len(said) == 5
    refused = [name for name, text in said.items() if "permission" in text or "noperm" in text]
    assert refused == []
