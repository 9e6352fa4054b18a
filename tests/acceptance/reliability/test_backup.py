"""The page's commands save and restore both stores: what was decided is there, and what was open goes on."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.errors import NotFoundError

from domain.record import DeliberationState
from domain.statistics import statistics
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, STARTED, approval
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

WITHIN = 300.0
PAGE = Path(__file__).parents[3] / "docs" / "stores.md"
PATIENT = {"CONCLAVE_POLICY_MODEL_WAIT_S": "3600", "CONCLAVE_POLICY_DEADLINE_S": "7200"}
"""An open deliberation stays open for as long as its model worker is stopped."""

pytestmark = pytest.mark.timeout(5 * WITHIN)


@dataclass
class Site:
    """An installation whose units are stopped and started by name."""

    nats: NatsServer
    valkey: ValkeyServer
    model_worker: Service
    services: list[Service]

    def run(self, block: str, backup: Path) -> None:
        """Run a block of the page line by line; systemctl's lines stop or start the units that they name."""
        units: dict[str, list[Service]] = {
            "nats": [self.nats],
            "valkey": [self.valkey],
            "conclave.target": self.services,
        }
        folders = {
            "VALKEY_DATA": self.valkey.folder,
            "NATS_DATA": self.nats.folder / "jetstream",
            "BACKUP": backup,
        }
        for line in block.splitlines():
            command, *words = line.split()
            if command == "systemctl":
                for service in (service for name in words[1:] for service in units[name]):
                    _act(words[0], service)
            else:
                env = {**os.environ, **{name: str(path) for name, path in folders.items()}}
                subprocess.run(line, shell=True, check=True, env=env)

    def ask(self) -> str:
        """Approve a plan, and return its id once its deliberation is open."""
        return self._follow(STARTED)

    def decide(self) -> str:
        """Approve a plan, and return its id once it is decided."""
        return self._follow(COMPLETED)

    def _follow(self, subject: str) -> str:
        asked = approval()

        async def scenario(observer: Observer) -> None:
            await observer.publish(APPROVED, asked)
            await observer.wait(subject, within=WITHIN, plan_id=asked["plan_id"])

        watching(self.nats.url, scenario)
        return str(asked["plan_id"])

    def told(self, *plans: str) -> Mapping[str, list[dict[str, Any]]]:
        """Return every decision in the stream by plan, once there is one of each of these plans."""

        async def read() -> dict[str, list[dict[str, Any]]]:
            async with await nats.connect(self.nats.url) as client, asyncio.timeout(WITHIN):
                while True:
                    found = await _decisions(client.jetstream())
                    if set(plans) <= found.keys():
                        return found
                    await asyncio.sleep(0.2)

        return asyncio.run(read())

    def states(self) -> dict[str, list[DeliberationState]]:
        """Return the states of what the store knows, by plan."""
        deliberations = services_of(self.nats.url, self.valkey.url, "scripted").deliberations
        found: dict[str, list[DeliberationState]] = {}
        for identity in deliberations.newest(100):
            record = deliberations.load(identity)
            found.setdefault(record.deliberation.plan.plan_id, []).append(record.state)
        return found

    def decided(self) -> int:
        """Return how many decisions the statistics count."""
        deliberations = services_of(self.nats.url, self.valkey.url, "scripted").deliberations
        return statistics(deliberations.counts()).total.decided


def _act(verb: str, service: Service) -> None:
    if verb == "stop":
        if service.running:
            service.stop()
    else:
        assert verb == "start"
        service.start()


async def _decisions(stream: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    sequence = 1
    while True:
        try:
            stored = await stream.get_msg("ORCHESTRATOR_EVENTS", sequence, subject=COMPLETED, next=True)
        except NotFoundError:
            return found
        body = json.loads(stored.data)
        found.setdefault(body["plan_id"], []).append(body)
        sequence = stored.seq + 1


def blocks() -> list[str]:
    """Return the commands of the page: save Valkey, save JetStream, restore both."""
    (section,) = re.findall(r"^## Backup and restore\n(.*?)(?=^## )", PAGE.read_text(), flags=re.M | re.S)
    found = re.findall(r"(?:^    .+\n)+", section, flags=re.M)
    return [re.sub(r"^    ", "", block, flags=re.M) for block in found]


@pytest.fixture
def site(tmp_path: Path, guard: Guard) -> Iterator[Site]:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as server,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.02) as engine,
        Fleet(
            tmp_path,
            guard,
            nats_url=server.url,
            redis_url=valkey.url,
            engine_url=engine.openai_url,
            env=PATIENT,
        ) as fleet,
    ):
        services_of(server.url, valkey.url, fleet.model)
        model_worker, rest = fleet.worker(), [fleet.bridge(), fleet.control(), fleet.beat()]
        for service in (model_worker, *rest):
            service.start(wait=False)
        for service in (model_worker, *rest):
            service.wait_ready()
        yield Site(server, valkey, model_worker, rest)


def test_copies_of_two_moments_are_restored_whichever_is_the_older(site: Site, tmp_path: Path) -> None:
    save_valkey, save_jetstream, restore = blocks()
    early, late = tmp_path / "early", tmp_path / "late"
    early.mkdir()
    late.mkdir()

    first = site.decide()
    site.run(save_jetstream, early)
    between = site.decide()
    site.model_worker.stop()
    open_then = site.ask()
    site.run(save_valkey, late)
    shutil.copytree(late / "valkey", early / "valkey")
    after = site.ask()
    site.model_worker.start()
    before = site.told(first, between, open_then, after)
    site.model_worker.stop()
    open_last = site.ask()
    site.run(save_jetstream, late)

    # JetStream's copy is the newer one: the store learns from the streams what it had not seen.
    site.run(restore, late)
    site.model_worker.start()
    now = site.told(open_last)
    assert Counter(map(len, now.values())) == {1: 5}
    assert {plan: now[plan] for plan in before} == before
    assert site.states() == {plan: [DeliberationState.DECIDED] for plan in now}
    assert site.decided() == 5

    # JetStream's copy is the older one: the store knows more than the streams, and goes on from there.
    site.model_worker.stop()
    site.run(restore, early)
    site.model_worker.start()
    now = site.told(open_then)
    assert {plan: len(events) for plan, events in now.items()} == {first: 1, open_then: 1}
    assert now[first] == before[first]
    assert site.states() == {plan: [DeliberationState.DECIDED] for plan in (first, between, open_then)}
    assert site.decided() == 3
