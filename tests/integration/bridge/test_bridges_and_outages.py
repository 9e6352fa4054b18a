"""Several bridges, and servers that die: every message is accepted by a bridge that is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import Error
from nats.js import JetStreamContext

from tests.integration.bridge.conftest import Broker, approval, freeze, until
from tests.support.servers import NatsServer

pytestmark = pytest.mark.anyio

APPROVED = "planning.plan.approved"
Run = Callable[..., Any]


@pytest.fixture
def doomed(server: NatsServer) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Return a function that starts a bridge whose Dispatcher hangs, in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        script = Path(__file__).with_name("bridge_process.py")
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
        process = subprocess.Popen(
            [sys.executable, str(script), server.url, "1.0"], stderr=subprocess.PIPE, text=True, env=environment
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


async def test_two_bridges_share_the_work_and_nothing_comes_twice(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    first, second = await run(batch=5), await run(batch=5)
    plans = [f"plan-{number}" for number in range(300)]
    await asyncio.gather(*(stream.publish(APPROVED, approval(plan)) for plan in plans))
    await until(lambda: len(broker.taken) >= 300)
    assert sorted(broker.taken) == sorted(plans)
    shares = [running.bridge.statistics.of(APPROVED).accepted for running in (first, second)]
    await until(lambda: sum(r.bridge.statistics.of(APPROVED).accepted for r in (first, second)) == 300)
    assert min(shares) > 0


async def test_a_killed_bridges_messages_go_to_another(
    run: Run, broker: Broker, stream: JetStreamContext, doomed: Callable[[], subprocess.Popen[str]]
) -> None:
    victim = doomed()
    await until(lambda: _exists(stream))
    await stream.publish(APPROVED, approval("plan-orphan"))
    assert victim.stderr is not None
    assert await asyncio.to_thread(victim.stderr.readline) == "plan-orphan\n"
    await run()
    victim.send_signal(signal.SIGKILL)
    await until(lambda: broker.taken == ["plan-orphan"])


async def test_nats_killed_and_restarted_under_a_bridge_loses_nothing(
    run: Run, broker: Broker, server: NatsServer, stream: JetStreamContext
) -> None:
    running = await run()
    plans = [f"plan-{number}" for number in range(500)]
    publishing = asyncio.ensure_future(_publish_stubbornly(stream, plans))
    for _ in range(3):
        await until(partial(_goes_on, broker, len(broker.taken), publishing))
        await asyncio.to_thread(server.kill9)
        await asyncio.to_thread(server.start)
    await publishing
    await until(lambda: set(broker.taken) == set(plans))
    assert running.bridge.statistics.of(APPROVED).rejected == 0


async def test_a_bridge_started_before_nats_waits_for_it(
    run: Run, broker: Broker, server: NatsServer, client: Client, stream: JetStreamContext
) -> None:
    server.stop()
    running = await run(ready=False)
    await asyncio.sleep(0)
    assert not running.bridge.statistics.connected
    await asyncio.to_thread(server.start)
    await until(lambda: running.bridge.statistics.connected)
    await until(lambda: client.is_connected)
    await stream.publish(APPROVED, approval("plan-late"))
    await until(lambda: broker.taken == ["plan-late"])


async def test_a_frozen_server_is_waited_for(
    run: Run, broker: Broker, server: NatsServer, stream: JetStreamContext
) -> None:
    await run()
    await stream.publish(APPROVED, approval("plan-1"))
    await until(lambda: broker.taken == ["plan-1"])
    await freeze(server)
    await asyncio.sleep(1.5)  # the freeze itself: longer than a fetch, so that one runs into it
    server.thaw()
    await stream.publish(APPROVED, approval("plan-2"), timeout=60)
    await until(lambda: broker.taken == ["plan-1", "plan-2"])


async def test_an_acknowledgement_counts_only_when_the_server_confirms_it(
    run: Run, broker: Broker, server: NatsServer, stream: JetStreamContext
) -> None:
    running = await run(ack_wait_s=1.0)
    broker.open.clear()
    await stream.publish(APPROVED, approval("plan-1"))
    await until(lambda: broker.offered)
    await freeze(server)
    broker.open.set()
    await until(lambda: running.bridge.statistics.of(APPROVED).unconfirmed == 1)
    server.thaw()
    await stream.publish(APPROVED, approval("plan-2"), timeout=60)
    await until(lambda: {"plan-1", "plan-2"} == set(broker.taken))


async def test_requests_held_back_while_nats_was_away_bring_no_flood(
    run: Run, broker: Broker, server: NatsServer, stream: JetStreamContext
) -> None:
    calls = 0

    def capacity() -> int:
        nonlocal calls
        calls += 1
        return 2

    await run(capacity=capacity, wait_s=0.05, ack_wait_s=30.0)
    await until(lambda: _exists(stream))
    broker.open.clear()
    server.kill9()
    before = calls
    await until(lambda: calls > before + 30)
    await asyncio.to_thread(server.start)
    for number in range(20):
        await stream.publish(APPROVED, approval(f"plan-{number}"), timeout=60)
    await until(lambda: broker.offered)
    info = await stream.consumer_info("PLANNING_EVENTS", "conclave-planning-plan-approved")
    assert (info.num_ack_pending or 0) <= 2
    broker.open.set()
    await until(lambda: len(set(broker.taken)) == 20)


async def test_a_deleted_consumer_is_made_again(run: Run, broker: Broker, stream: JetStreamContext) -> None:
    await run()
    await stream.publish(APPROVED, approval("plan-1"))
    await until(lambda: broker.taken == ["plan-1"])
    await stream.delete_consumer("PLANNING_EVENTS", "conclave-planning-plan-approved")
    await stream.publish(APPROVED, approval("plan-2"))
    await until(lambda: "plan-2" in broker.taken)


async def test_a_deleted_stream_is_made_again(run: Run, broker: Broker, stream: JetStreamContext) -> None:
    running = await run()
    await stream.delete_stream("PLANNING_EVENTS")
    await until(lambda: running.bridge.statistics.sessions > 1)
    await until(lambda: _exists(stream))
    await stream.publish(APPROVED, approval("plan-1"))
    await until(lambda: broker.taken == ["plan-1"])


def _goes_on(broker: Broker, before: int, publishing: asyncio.Future[None]) -> bool:
    return len(broker.taken) > before or publishing.done()


async def _publish_stubbornly(stream: JetStreamContext, plans: list[str]) -> None:
    """Publish under an id until it is confirmed, as a careful publisher does."""
    for plan in plans:
        body = approval(plan)
        while True:
            try:
                await stream.publish(APPROVED, body, headers={"Nats-Msg-Id": plan}, timeout=1)
                break
            except (Error, TimeoutError, OSError):
                await asyncio.sleep(0.05)


async def _exists(stream: JetStreamContext) -> bool:
    try:
        await stream.consumer_info("PLANNING_EVENTS", "conclave-planning-plan-approved")
    except (Error, TimeoutError):
        return False
    return True
