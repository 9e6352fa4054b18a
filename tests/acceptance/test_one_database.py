"""Two installations in one database of one Valkey: neither sees, takes or answers what is the other's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.factories import council
from tests.support.fleet import Fleet
from tests.support.observer import Observer, until
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.app import make_app
from workers.composition import Composition
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.settings import Settings

DATABASE = 3


@dataclass(frozen=True)
class Installation:
    """Processes with a NATS of their own, and with a key prefix of their own in the shared database."""

    settings: Settings
    fleet: Fleet

    @property
    def nats_url(self) -> str:
        return self.settings.nats.url[0]

    def start(self, *kinds: str) -> None:
        services = [getattr(self.fleet, kind)() for kind in kinds]
        for service in services:
            service.start(wait=False)
        for service in services:
            service.wait_ready()

    def apply_council(self) -> None:
        members = tuple(agent.model_copy(update={"model": None}) for agent in council("DEV").agents)
        Composition(self.settings).councils.save(council("DEV", agents=members))

    def workers(self) -> set[str]:
        """Return the names of the workers that answer a broadcast, once both have."""
        app, names = make_app(self.settings), set[str]()

        def answered() -> bool:
            names.update(name for answer in app.control.ping(timeout=2) or () for name in answer)
            return len(names) >= 2

        assert wait_until(answered, within=120), names
        return names


@pytest.fixture
def valkey(tmp_path: Path, guard: Guard) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        yield server


@pytest.fixture
def installations(tmp_path: Path, guard: Guard, valkey: ValkeyServer) -> Iterator[list[Installation]]:
    """Two that serve a model of the same name; nothing of them runs yet."""
    with ExitStack() as stack:
        engine = stack.enter_context(ScriptedEngine(latency_s=0.01))

        def installation(prefix: str) -> Installation:
            folder = tmp_path / prefix.strip(":")
            nats = stack.enter_context(NatsServer(folder / "nats", guard=guard))
            servers: dict[str, Any] = {"nats_url": nats.url, "redis_url": f"{valkey.url}/{DATABASE}"}
            own = {"CONCLAVE_KEY_PREFIX": prefix}
            fleet = stack.enter_context(Fleet(folder, guard, **servers, engine_url=engine.openai_url, env=own))
            given = {"nats": {"url": nats.url}, "redis_url": servers["redis_url"], "key_prefix": prefix}
            return Installation(Settings.model_validate(given), fleet)

        yield [installation("first:"), installation("second:")]


def test_each_decides_its_own_approvals_and_leaves_the_others_alone(
    installations: list[Installation], valkey: ValkeyServer
) -> None:
    first, second = installations
    for installation in installations:
        installation.apply_council()
    first.start("bridge")
    second.start("bridge", "control", "worker", "beat")
    queue, asked, answered = "first:broker:control", approval(), approval()

    async def scenario(client: Redis) -> None:
        async with Observer(first.nats_url) as hears_first, Observer(second.nats_url) as hears_second:
            await hears_first.publish(APPROVED, asked)
            await until(lambda: client.llen(queue) == 1, within=120, what=lambda: "the plan is not queued")
            await hears_second.publish(APPROVED, answered)
            await hears_second.wait(COMPLETED, within=60, plan_id=answered["plan_id"])
            assert client.llen(queue) == 1, "workers of the other installation took it"
            first.start("control", "worker")
            await hears_first.wait(COMPLETED, within=60, plan_id=asked["plan_id"])
            assert [event.body["plan_id"] for event in hears_first.of(COMPLETED)] == [asked["plan_id"]]
            assert [event.body["plan_id"] for event in hears_second.of(COMPLETED)] == [answered["plan_id"]]

    with Redis.from_url(f"{valkey.url}/{DATABASE}", decode_responses=True) as client:
        asyncio.run(scenario(client))
        assert set(client.info("keyspace")) == {f"db{DATABASE}"}
        assert {key.partition(":")[0] for key in client.scan_iter(count=1000)} == {"first", "second"}
        assert {key.split(":")[1] for key in client.scan_iter("second:*", count=1000)} >= {"broker", "results"}
    assert len(first.workers()) == len(second.workers()) == 2
    assert first.workers().isdisjoint(second.workers())
