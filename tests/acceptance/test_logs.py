"""What real processes log: a line of JSON per step, and no secret or text of plans and models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, watching
from tests.support.scripted_answers import free_text
from tests.support.scripted_engine import ScriptedEngine
from tests.support.secured import PASSWORD, SecuredNats, SecuredValkey
from workers.processes.guard import Guard

CANARY = "xylophone-canary"
ENGINE_KEY = "k3y-canary"
READY = (" ready.", "bridge_ready", "beat: Starting")
GOODBYE = "worker: Warm shutdown (MainProcess)"
"""Celery says this past any logging, as it does its banner at the start."""
SECRETS = [PASSWORD.format(user="worker"), PASSWORD.format(user="bridge"), ENGINE_KEY]


@dataclass(frozen=True)
class Logged:
    """What a pipeline wrote while it decided about a plan."""

    services: list[Service]
    plan_id: str
    deliberation_id: str

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of JSON of all services."""
        texts = [line for one in self.services for line in one.log.path.read_text().splitlines()]
        return [json.loads(line) for line in texts if line.startswith("{")]


@pytest.fixture(scope="module", params=["INFO", "DEBUG"])
def logged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> Iterator[Logged]:
    """A decision with failed calls in it, made by processes that log in to servers which ask for passwords."""
    folder = tmp_path_factory.mktemp("logs")
    with (
        SecuredNats(folder / "nats", guard=guard) as nats,
        SecuredValkey(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05, text=lambda body: f"{free_text(body)} {CANARY}", key=ENGINE_KEY) as engine,
        Fleet(
            folder,
            guard,
            nats_url=nats.url_of("worker"),
            redis_url=valkey.url_of("worker"),
            engine_url=engine.openai_url,
            env={"CONCLAVE_ENGINE_KEY": ENGINE_KEY, "CONCLAVE_LOG_LEVEL": request.param},
        ) as fleet,
    ):
        services_of(nats.url_of("worker"), valkey.url_of("worker"), fleet.model)
        at_the_bridge = {"CONCLAVE_NATS_URL": nats.url_of("bridge"), "CONCLAVE_REDIS_URL": valkey.url_of("bridge")}
        running = [fleet.bridge(**at_the_bridge), fleet.control(), fleet.worker(), fleet.beat()]
        for one in running:
            one.start(wait=False)
        for one in running:
            one.wait_ready()
        asked = approval(title=CANARY, description=f"{CANARY} {CANARY}", acceptance_criteria=[CANARY])
        found: list[str] = []

        async def scenario(observer: Observer) -> None:
            engine.fault("text:400", "ballot:off_form", "text:503")
            await observer.publish(APPROVED, asked)
            (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"])
            assert CANARY in json.dumps(event.body)
            found.append(event.body["deliberation_id"])

        watching(nats.url_of("bridge"), scenario)
        for one in running:
            one.stop()
        yield Logged(running, asked["plan_id"], found[0])


def test_no_log_holds_a_secret_or_a_text_of_plan_or_model(logged: Logged) -> None:
    for one in logged.services:
        written = one.log.path.read_text()
        assert [word for word in (*SECRETS, CANARY) if word in written] == [], one.process.name


def test_every_task_leaves_one_line_with_its_ids_and_duration(logged: Logged) -> None:
    done = [line for line in logged.lines() if line.get("event") == "step done"]
    ours = [line for line in done if line["deliberation_id"] == logged.deliberation_id]
    assert {line["task"] for line in ours} == {"proposal.generate", "deliberation.conclude"}
    assert len({line["task_id"] for line in ours}) == 4
    assert all(line["duration_ms"] >= 0 for line in ours)
    assert all({"level", "logger", "timestamp"} <= line.keys() for line in done)


def test_what_services_write_while_they_are_up_is_json_throughout(logged: Logged) -> None:
    for one in logged.services:
        lines = one.log.path.read_text().splitlines()
        up = next(number for number, line in enumerate(lines) if any(word in line for word in READY))
        plain = [line for line in lines[up:] if line and not line.startswith("{")]
        assert [line for line in plain if line != GOODBYE] == [], one.process.name
