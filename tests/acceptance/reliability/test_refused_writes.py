"""A store that refuses to write for a while: living workers keep what they do, no call is made twice."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest
import redis

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.fleet import Fleet
from tests.support.observer import Observer, until, watching
from tests.support.scripted_answers import Body, is_ballot
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

ENV = {"CONCLAVE_VISIBILITY_TIMEOUT_S": "2", "CONCLAVE_POLICY_SWEEP_AFTER_S": "3"}
REFUSED_S = 8.0
"""Longer than the visibility timeout and than the sweep waits; shorter than a call."""
CALL_S = 14.0
WITHIN = 90.0

pytestmark = pytest.mark.timeout(3 * WITHIN)


@pytest.mark.parametrize("refusal", [("maxmemory", "1"), ("min-replicas-to-write", "1")])
def test_no_call_is_made_twice_and_no_worker_counts_as_lost(
    tmp_path: Path, guard: Guard, refusal: tuple[str, str]
) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=CALL_S) as engine,
        Fleet(
            tmp_path, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url, env=ENV
        ) as fleet,
    ):
        services_of(nats.url, valkey.url, fleet.model)
        calls = Calls()
        engine.script.hangs = calls
        running = [fleet.bridge(), fleet.control(), fleet.control(), fleet.worker(), fleet.worker(), fleet.beat()]
        for service in running:
            service.start(wait=False)
        for service in running:
            service.wait_ready()

        async def refuse() -> None:
            with redis.Redis(port=valkey.port) as client:
                client.config_set(*refusal)
                await asyncio.sleep(REFUSED_S)
                client.config_set(refusal[0], "0")

        async def scenario(observer: Observer) -> None:
            asked = approval()
            await observer.publish(APPROVED, asked)
            await until(partial(calls.at_least, 3), within=WITHIN, what=lambda: f"{calls.proposals} calls")
            await refuse()
            engine.script.latency_s = 0.1
            (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"], within=WITHIN)
            assert event.body["degraded"] is False
            assert calls.proposals == 3

        watching(nats.url, scenario)
        assert all(service.running for service in running)
        logs = "".join(service.log.path.read_text() for service in running)
        assert "step parked" not in logs


class Calls:
    """Counts the proposals that an engine is asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.proposals = 0

    def at_least(self, count: int) -> bool:
        return self.proposals >= count

    def __call__(self, body: Body) -> bool:
        with self._lock:
            self.proposals += not is_ballot(body)
        return False
