"""One bridge against a real server: what it accepts, and when it acknowledges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from tests.integration.bridge.conftest import Broker, approval, until

pytestmark = pytest.mark.anyio

APPROVED = "planning.plan.approved"
Run = Callable[..., Any]


async def consumer(stream: JetStreamContext, name: str = "conclave-planning-plan-approved") -> ConsumerInfo:
    info: ConsumerInfo = await stream.consumer_info("PLANNING_EVENTS", name)
    return info


async def test_a_publisher_that_knows_nothing_of_us_is_understood(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    await run()
    await stream.publish(APPROVED, approval("plan-bare"))
    await stream.publish("deliberation.requested", b'{"role": "DEV", "question": "Why?", "request_id": "rq"}')
    moved = {"story_id": "s", "from_phase": "PLAN", "to_phase": "BUILD", "timestamp": "2026-01-31T12:00:00Z"}
    await stream.publish("planning.story.transitioned", json.dumps(moved).encode())
    await until(lambda: sorted(broker.taken) == ["plan-bare", "rq", "s:BUILD"])


def judged(deliberation_id: str) -> bytes:
    said = {"verdict": "accept", "by": "ada", "timestamp": "2026-01-31T12:00:00Z"}
    return json.dumps(said | {"deliberation_id": deliberation_id}).encode()


async def test_verdicts_come_in_where_plans_must_wait_and_those_on_nothing_are_dead_letters(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    await run(capacity=lambda: 0)
    await stream.publish(APPROVED, approval("plan-waits"))
    for deliberation_id in ("d-1", "d-unknown", "d-2"):
        await stream.publish("deliberation.judged", judged(deliberation_id))
    await until(lambda: [said.deliberation_id for said in broker.judged] == ["d-1", "d-2"])
    letters = await stream.pull_subscribe("conclave.dead_letter.deliberation.judged", durable="reader")
    (letter,) = await letters.fetch(1, timeout=60)
    assert letter.data == judged("d-unknown")
    assert letter.headers is not None
    assert letter.headers["Conclave-Reason"] == "no deliberation d-unknown: never opened"
    assert broker.taken == []


async def test_a_verdict_that_no_store_takes_for_now_is_taken_later(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    broker.failures_left = 2
    await run()
    await stream.publish("deliberation.judged", judged("d-1"))
    await until(lambda: [said.deliberation_id for said in broker.judged] == ["d-1"])


async def test_every_transition_is_answered_on_the_stream(run: Run, stream: JetStreamContext) -> None:
    await run()
    changed = await stream.pull_subscribe("orchestration.phase.changed", durable="reader")
    moved = {"story_id": "s", "from_phase": "PLAN", "to_phase": "DONE", "timestamp": "2026-01-31T12:00:00Z"}
    for _ in range(2):
        await stream.publish("planning.story.transitioned", json.dumps(moved).encode())
    (event,) = await changed.fetch(1, timeout=60)
    body = json.loads(event.data)
    assert (body["story_id"], body["to_phase"], body["roles"]) == ("s", "DONE", [])
    assert event.headers is not None
    assert event.headers["ce-type"] == body["event_type"] == "orchestration.phase.changed"
    assert event.headers["Nats-Msg-Id"] == event.headers["ce-id"]
    done = "conclave-planning-story-transitioned"
    await until(lambda: _settled(stream, done, 2))
    assert (await stream.stream_info("ORCHESTRATOR_EVENTS")).state.messages == 1


async def test_nothing_is_acknowledged_while_the_dispatcher_works(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    await run(ack_wait_s=30.0)
    broker.open.clear()
    for number in range(5):
        await stream.publish(APPROVED, approval(f"plan-{number}"))
    await until(lambda: broker.offered)
    assert await _acknowledged(stream) == 0
    broker.open.set()
    await until(lambda: _settled(stream, "conclave-planning-plan-approved", 5))
    assert sorted(broker.taken) == [f"plan-{number}" for number in range(5)]


async def test_a_dispatcher_slower_than_the_acknowledgement_wait_gets_nothing_twice(
    run: Run, broker: Broker, client: Client, stream: JetStreamContext
) -> None:
    heartbeats = await client.subscribe("$JS.ACK.PLANNING_EVENTS.conclave-planning-plan-approved.>")
    running = await run(ack_wait_s=0.5)
    broker.open.clear()
    await stream.publish(APPROVED, approval("plan-slow"))
    for _ in range(9):  # three a wait: it would have been delivered again twice
        assert (await heartbeats.next_msg(timeout=60)).data == b"+WPI"
    broker.open.set()
    await until(lambda: _settled(stream, "conclave-planning-plan-approved", 1))
    assert broker.taken == ["plan-slow"]
    assert running.bridge.statistics.of(APPROVED).redelivered == 0


async def test_a_dispatcher_that_fails_three_times_gets_the_message_a_fourth_time(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    running = await run()
    broker.failures_left = 3
    await stream.publish(APPROVED, approval("plan-patient"))
    await until(lambda: broker.taken == ["plan-patient"])
    await until(lambda: _settled(stream, "conclave-planning-plan-approved", 1))
    assert running.bridge.statistics.of(APPROVED).naks == 3
    await stream.publish(APPROVED, approval("plan-next"))
    await until(lambda: broker.taken == ["plan-patient", "plan-next"])


async def test_without_capacity_the_backlog_waits_in_the_stream(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    capacity, calls = 0, 0

    def current() -> int:
        nonlocal calls
        calls += 1
        return capacity

    await run(capacity=current)
    for number in range(10):
        await stream.publish(APPROVED, approval(f"plan-{number}"))
    before = calls
    await until(lambda: calls > before + 9)  # three subjects call
    info = await consumer(stream)
    assert (info.num_pending, info.num_ack_pending) == (10, 0)
    capacity = 100
    await until(lambda: len(broker.taken) == 10)


async def test_no_more_is_fetched_than_there_is_capacity_for(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    broker.open.clear()
    await run(capacity=lambda: 3, ack_wait_s=30.0)
    for number in range(10):
        await stream.publish(APPROVED, approval(f"plan-{number}"))
    await until(lambda: broker.offered)
    assert ((await consumer(stream)).num_ack_pending or 0) <= 3
    broker.open.set()
    await until(lambda: len(broker.taken) == 10)


async def test_a_capacity_that_cannot_be_read_is_none(run: Run, broker: Broker, stream: JetStreamContext) -> None:
    away = True

    def capacity() -> int:
        if away:
            raise ConnectionError("the store is down")
        return 10

    running = await run(capacity=capacity)
    await stream.publish(APPROVED, approval("plan-1"))
    await until(lambda: running.bridge.statistics.of(APPROVED).last_error == "the store is down")
    assert broker.offered == 0
    away = False
    await until(lambda: broker.taken == ["plan-1"])


async def test_a_stop_processes_the_batch_in_flight_and_leaves_the_rest(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    running = await run(batch=2, ack_wait_s=30.0)
    broker.open.clear()
    for number in range(6):
        await stream.publish(APPROVED, approval(f"plan-{number}"))
    await until(lambda: broker.offered)
    running.stop.set()
    broker.open.set()
    await running.end()
    info = await consumer(stream)
    assert info.num_ack_pending == 0
    assert info.num_pending == 6 - len(broker.taken)
    assert 1 <= len(broker.taken) <= 2


@pytest.mark.parametrize("headers", [{"Status": "404"}, {"Status": "503"}, {"Status": "409", "Description": "x"}])
async def test_a_publishers_header_is_not_taken_for_a_status_of_the_server(
    run: Run, broker: Broker, stream: JetStreamContext, headers: dict[str, str]
) -> None:
    await run()
    await stream.publish(APPROVED, approval("plan-odd"), headers=headers)
    await stream.publish(APPROVED, approval("plan-even"))
    await until(lambda: sorted(broker.taken) == ["plan-even", "plan-odd"])


@pytest.mark.parametrize(
    "block", [b"NATS/1.0", b"garbage", b"NATS/1.0 \xff\xff\xff\r\n\r\n", b"NATS/1.0\r\n\xff:\xff\r\n\r\n"]
)
async def test_a_broken_header_block_stops_no_bridge(
    run: Run, broker: Broker, client: Client, stream: JetStreamContext, block: bytes
) -> None:
    running = await run()
    await _publish_raw(client, APPROVED, block, approval("plan-broken"))
    await stream.publish(APPROVED, approval("plan-whole"))
    await until(lambda: {"plan-whole", "plan-broken"} == set(broker.taken))
    assert running.bridge.statistics.sessions == 1
    assert running.bridge.statistics.of(APPROVED).redelivered == 0


async def test_the_lag_is_known(run: Run, broker: Broker, stream: JetStreamContext) -> None:
    running = await run(capacity=lambda: 0)
    for _ in range(4):
        await stream.publish(APPROVED, approval())
    await until(lambda: running.bridge.statistics.of(APPROVED).pending == 4)


async def test_a_bridge_answers_as_a_micro_service(run: Run, client: Client, stream: JetStreamContext) -> None:
    running = await run()
    await stream.publish(APPROVED, approval())
    await until(lambda: running.bridge.statistics.of(APPROVED).accepted == 1)
    ping = json.loads((await client.request("$SRV.PING.conclave-bridge", timeout=60)).data)
    assert (ping["name"], ping["type"]) == ("conclave-bridge", "io.nats.micro.v1.ping_response")
    info = json.loads((await client.request("$SRV.INFO.conclave-bridge", timeout=60)).data)
    assert info["endpoints"][0]["subject"] == "conclave.bridge.status"
    stats = json.loads((await client.request("$SRV.STATS.conclave-bridge", timeout=60)).data)
    assert stats["endpoints"][0]["data"]["subjects"][APPROVED]["accepted"] == 1
    status = json.loads((await client.request("conclave.bridge.status", timeout=60)).data)
    assert status["connected"] is True


async def _acknowledged(stream: JetStreamContext, *name: str) -> int:
    """Return the sequence up to which everything is acknowledged."""
    floor = (await consumer(stream, *name)).ack_floor
    assert floor is not None
    return floor.stream_seq


async def _settled(stream: JetStreamContext, name: str, sequence: int) -> bool:
    return await _acknowledged(stream, name) >= sequence and (await consumer(stream, name)).num_ack_pending == 0


async def _publish_raw(client: Client, subject: str, block: bytes, data: bytes) -> None:
    """Publish with a header block that no client library would write."""
    uri = client.connected_url
    assert uri is not None
    reader, writer = await asyncio.open_connection(uri.hostname, uri.port)
    sizes = f"{len(block)} {len(block) + len(data)}"
    writer.write(b'CONNECT {"verbose":false,"headers":true}\r\n')
    writer.write(f"HPUB {subject} {sizes}\r\n".encode() + block + data + b"\r\nPING\r\n")
    async with asyncio.timeout(60):
        while not (await reader.readline()).startswith(b"PONG"):
            pass
    writer.close()
