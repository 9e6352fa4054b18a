"""Approvals that leave their stream unread: told once, and only where there may have been some."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from bridge.dead_letters import DeadLetters
from bridge.position import RECORDED
from domain.dead_letter import DeadLetter
from domain.errors import NotReplayable
from tests.integration.bridge.conftest import Broker, Running, approval, until

pytestmark = pytest.mark.anyio

APPROVED = "planning.plan.approved"
DURABLE = "conclave-planning-plan-approved"
Run = Callable[..., Any]
ROOM = 10
"""Messages that the stream holds."""


@pytest.fixture(autouse=True)
async def plans(stream: JetStreamContext) -> None:
    """A small stream that forgets its oldest messages, as an operator may have made it."""
    await stream.add_stream(name="PLANS", subjects=["planning.>"], max_msgs=ROOM)


async def approve(stream: JetStreamContext, count: int) -> None:
    for _ in range(count):
        await stream.publish(APPROVED, approval())


async def fill(stream: JetStreamContext, count: int = 2 * ROOM) -> None:
    """Publish what no bridge reads."""
    for _ in range(count):
        await stream.publish("planning.note.taken", b"{}")


def lost(*bridges: Running) -> int:
    return sum(running.bridge.statistics.of(APPROVED).lost for running in bridges)


async def kept(client: Client) -> list[DeadLetter]:
    """Return the dead letters about approvals. Transitions may have been lost with them, and have their own."""
    return [dead_letter for dead_letter in await DeadLetters(client).list() if dead_letter.subject == APPROVED]


async def looked(running: Running) -> None:
    """Wait until the bridge has looked at its streams once more."""
    for _ in range(2):  # the first may have begun before
        before = running.bridge.statistics.fill
        await until(partial(_changed, running, before))


def _changed(running: Running, before: dict[str, float]) -> bool:
    return running.bridge.statistics.fill is not before


async def read_one(run: Run, broker: Broker, stream: JetStreamContext) -> Running:
    """Start a bridge and have it read an approval."""
    running: Running = await run()
    await stream.publish(APPROVED, approval("plan-read"))
    await until(lambda: broker.taken == ["plan-read"])
    return running


async def test_what_was_pushed_out_while_no_bridge_ran_is_told_once(
    run: Run, broker: Broker, stream: JetStreamContext, client: Client
) -> None:
    await (await read_one(run, broker, stream)).end()
    await approve(stream, ROOM + 7)
    with structlog.testing.capture_logs() as lines:
        first = await run()
        await until(lambda: len(broker.taken) == 1 + ROOM)
    assert lost(first) == 7
    (line,) = [line for line in lines if line["event"] == "messages_lost" and line["subject"] == APPROVED]
    assert (line["log_level"], line["up_to"], line["stream"]) == ("error", 7, "PLANS")
    sentence = "up to 7 messages on planning.plan.approved, of the sequences 2 to 8, left stream PLANS before"
    assert line["reason"].startswith(sentence)
    (dead_letter,) = await kept(client)
    assert (dead_letter.reason, dead_letter.data) == (line["reason"], None)
    with pytest.raises(NotReplayable):
        await DeadLetters(client).replay(dead_letter.sequence)
    await first.end()
    second = await run()
    await looked(second)
    assert (lost(second), len(await kept(client))) == (0, 1)


async def test_a_bridge_without_capacity_tells_what_it_loses(run: Run, stream: JetStreamContext) -> None:
    running = await run(capacity=lambda: 0)
    await looked(running)
    await approve(stream, ROOM + 3)
    await until(lambda: lost(running) == 3)


async def test_of_two_bridges_that_start_together_one_tells(
    run: Run, broker: Broker, stream: JetStreamContext, client: Client
) -> None:
    await (await read_one(run, broker, stream)).end()
    await approve(stream, ROOM + 7)
    bridges = await asyncio.gather(run(capacity=lambda: 0), run(capacity=lambda: 0))
    for running in bridges:
        await looked(running)
    assert lost(*bridges) == 7
    assert len(await kept(client)) == 1


async def test_a_gap_is_not_told_again_while_nothing_is_read(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    await (await read_one(run, broker, stream)).end()
    await approve(stream, ROOM + 7)
    first = await run(capacity=lambda: 0)
    await until(lambda: lost(first) == 7)
    await until(lambda: _recorded(stream))
    await first.end()
    second = await run(capacity=lambda: 0)
    await looked(second)
    assert lost(second) == 0


async def test_messages_on_other_subjects_are_no_loss_of_ours(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    first = await read_one(run, broker, stream)
    await fill(stream, ROOM - 2)
    await looked(first)
    await fill(stream, ROOM - 2)
    await until(lambda: _recorded(stream))
    await first.end()
    await fill(stream, 2)
    second = await run()
    await looked(second)
    assert lost(first, second) == 0


async def test_how_near_a_stream_is_to_dropping_unread_messages_is_seen(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    capacity = 0
    running = await run(capacity=lambda: capacity)
    await fill(stream)
    await looked(running)
    await approve(stream, 4)
    await until(lambda: running.bridge.statistics.fill.get("PLANS") == 4 / ROOM)
    capacity = 100
    await until(lambda: running.bridge.statistics.fill.get("PLANS") == 0.0)
    assert len(broker.taken) == 4


async def test_how_full_a_stream_is_that_refuses_is_seen(run: Run, stream: JetStreamContext) -> None:
    await stream.add_stream(name="QUESTIONS", subjects=["deliberation.>"], max_msgs=ROOM, discard="new")
    running = await run()
    for _ in range(9):
        await stream.publish("deliberation.noted", b"{}")
    await until(lambda: running.bridge.statistics.fill.get("QUESTIONS") == 0.9)


async def test_a_purge_is_no_loss(run: Run, broker: Broker, stream: JetStreamContext) -> None:
    first = await read_one(run, broker, stream)
    await first.end()
    await approve(stream, 3)
    await stream.purge_stream("PLANS")
    second = await run()
    await looked(second)
    await stream.publish(APPROVED, approval("plan-next"))
    await until(lambda: broker.taken == ["plan-read", "plan-next"])
    await looked(second)
    assert lost(first, second) == 0


async def test_what_was_gone_before_there_was_a_durable_is_no_loss(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    await approve(stream, 2 * ROOM)
    running = await run()
    await until(lambda: len(broker.taken) == ROOM)
    await looked(running)
    assert lost(running) == 0


async def test_a_stream_made_anew_begins_anew(run: Run, broker: Broker, stream: JetStreamContext) -> None:
    running = await read_one(run, broker, stream)
    await stream.delete_stream("PLANS")
    await until(lambda: running.bridge.statistics.sessions > 1)
    await stream.publish(APPROVED, approval("plan-next"))
    await until(lambda: broker.taken == ["plan-read", "plan-next"])
    assert lost(running) == 0


async def _recorded(stream: JetStreamContext) -> bool:
    info = await stream.consumer_info("PLANS", DURABLE)
    return RECORDED in (info.config.metadata or {})
