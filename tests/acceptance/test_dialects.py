"""The whole stack in each dialect: what comes out is read by a consumer that takes that dialect alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from bridge.client import Conclave
from domain.contract import CompletedBody
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import COMPLETED, approval
from tests.support.fleet import Fleet
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

Body = dict[str, Any]
WITHIN = 180.0
"""Seconds for one message; generous, since test machines are shared."""
DISPATCHED = "orchestration.task.dispatched"
SECOND = "orchestration.other"


def read_bare(message: Msg) -> Body:
    """Read as the first consumers do: the body lies open."""
    body: Body = json.loads(message.data)
    assert "payload" not in body
    assert "specversion" not in body
    return body


def read_envelope(message: Msg) -> Body:
    """Read as that system's later consumers do, which drop what lacks a field of the envelope or has it empty."""
    envelope = json.loads(message.data)
    for field in ("event_type", "idempotency_key", "correlation_id", "timestamp", "producer"):
        assert isinstance(envelope[field], str)
        assert envelope[field]
    datetime.fromisoformat(envelope["timestamp"].replace("Z", "+00:00"))
    assert envelope["event_type"] == envelope["payload"]["event_type"]
    body: Body = envelope["payload"]
    return body


def read_cloud_event(message: Msg) -> Body:
    """Read as a reader of CloudEvents 1.0 in structured mode does."""
    assert (message.headers or {})["content-type"].startswith("application/cloudevents+json")
    event = json.loads(message.data)
    assert event["specversion"] == "1.0"
    assert all(isinstance(event[name], str) and event[name] for name in ("id", "source", "type"))
    assert event["type"] == event["data"]["event_type"]
    body: Body = event["data"]
    return body


READERS: Mapping[str, Callable[[Msg], Body]] = {
    "bare": read_bare,
    "envelope": read_envelope,
    "cloudevents": read_cloud_event,
}


async def first(streams: JetStreamContext, subject: str, read: Callable[[Msg], Body], task_id: str) -> Body:
    """Take from a durable of its own, as those consumers do, and acknowledge, until the plan's message comes."""
    durable = subject.replace(".", "-")
    subscription = await streams.pull_subscribe(subject, durable=durable, stream="ORCHESTRATOR_EVENTS")
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                (message,) = await subscription.fetch(1, timeout=5)
            except TimeoutError:
                continue
            body = read(message)
            await message.ack()
            if body["task_id"] == task_id:
                return body


@contextmanager
def stack(folder: Path, guard: Guard, env: Mapping[str, str]) -> Iterator[str]:
    """Run servers, a bridge and workers with these settings; yield NATS's URL."""
    with (
        NatsServer(folder / "nats", guard=guard) as server,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine() as engine,
        Fleet(
            folder, guard, nats_url=server.url, redis_url=valkey.url, engine_url=engine.openai_url, env=env
        ) as fleet,
    ):
        services_of(server.url, valkey.url, fleet.model)
        running = [fleet.bridge(), fleet.control(), fleet.worker()]
        for one in running:
            one.start(wait=False)
        for one in running:
            one.wait_ready()
        yield server.url


@pytest.mark.parametrize(
    ("dialect", "second"), [("bare", "cloudevents"), ("envelope", "bare"), ("cloudevents", "envelope")]
)
def test_a_decision_reaches_the_client_and_those_who_insist_on_their_dialect(
    tmp_path: Path, guard: Guard, dialect: str, second: str
) -> None:
    env = {
        "CONCLAVE_EVENTS_DIALECT": dialect,
        "CONCLAVE_EVENTS_SECOND_PREFIX": SECOND,
        "CONCLAVE_EVENTS_SECOND_DIALECT": second,
        "CONCLAVE_EVENTS_ALIASES": "true",
    }

    async def scenario(url: str) -> None:
        asked = approval()
        async with Conclave(url) as conclave:
            decision = await conclave.decide(asked, timeout_s=WITHIN)
        connection = await nats.connect(url)
        try:
            await heard(connection.jetstream(), asked, decision)
        finally:
            await connection.close()

    async def heard(streams: JetStreamContext, asked: Body, decision: CompletedBody) -> None:
        told = decision.model_dump(mode="json")
        read, read_second = READERS[dialect], READERS[second]
        assert await first(streams, COMPLETED, read, asked["plan_id"]) == told
        beside = COMPLETED.replace("orchestration", SECOND, 1)
        assert await first(streams, beside, read_second, asked["plan_id"]) == told
        dispatched = await first(streams, DISPATCHED, read, asked["plan_id"])
        assert dispatched.keys() == {"event_type", "story_id", "task_id", "agent_id", "role", "timestamp"}
        assert dispatched["story_id"] == asked["story_id"]
        for row in told["decisions"]:
            assert row["id"]
            assert row["type"] == "TECHNICAL"
            assert isinstance(row["rationale"], str)

    with stack(tmp_path, guard, env) as url:
        asyncio.run(scenario(url))
