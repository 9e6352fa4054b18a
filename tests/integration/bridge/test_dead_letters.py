"""Dead letters over a real server, ours and JetStream's own: what is kept, and what publishers are told."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from bridge.bridge import Bridge, unlimited
from bridge.dead_letters import DeadLetters
from bridge.options import BridgeOptions, EventDialect, EventOptions, StreamLimits
from bridge.streams import dead_letter_stream, ensure
from domain.errors import NoSuchDeadLetter
from tests.integration.bridge.conftest import (
    APPROVED,
    Broker,
    Running,
    advised,
    approval,
    counted,
    only,
    spent,
    until,
)
from tests.support.spoilt_messages import odd_headers, spoilt

pytestmark = pytest.mark.anyio

Run = Callable[..., Any]
SUBJECTS_OF_0_1 = (
    "conclave.dead_letter.>",
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
)
"""What version 0.1 created the stream with."""


async def test_a_rejected_message_is_kept_with_reason_place_and_headers(
    run: Run, broker: Broker, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    await run()
    stored = await stream.publish(APPROVED, b"\xff\x00", headers={"colour": "red"})
    await stream.publish(APPROVED, approval("plan-good"))
    await until(lambda: broker.taken == ["plan-good"])
    (dead_letter,) = await dead_letters.list()
    assert dead_letter.reason == "the message is not UTF-8 at byte 0; encode it as UTF-8"
    assert (dead_letter.subject, dead_letter.data, dead_letter.headers) == (
        APPROVED,
        b"\xff\x00",
        {"colour": "red"},
    )
    assert (dead_letter.stream, dead_letter.stream_sequence, dead_letter.delivered) == (
        "PLANNING_EVENTS",
        stored.seq,
        1,
    )
    assert await dead_letters.show(dead_letter.sequence) == dead_letter
    info = await stream.consumer_info("PLANNING_EVENTS", "conclave-planning-plan-approved")
    assert (info.num_ack_pending, info.num_redelivered) == (0, 0)


async def test_any_nats_client_can_read_a_dead_letter(run: Run, stream: JetStreamContext) -> None:
    await run()
    await stream.publish(APPROVED, b"nonsense")
    reader = await stream.pull_subscribe("conclave.dead_letter.>", durable="operator")
    (dead_letter,) = await reader.fetch(1, timeout=60)
    assert dead_letter.subject == "conclave.dead_letter.planning.plan.approved"
    assert dead_letter.data == b"nonsense"
    assert dead_letter.headers is not None
    assert "not JSON" in dead_letter.headers["Conclave-Reason"]


@pytest.mark.parametrize(("dialect", "body_in"), [("envelope", "payload"), ("cloudevents", "data")])
async def test_the_publisher_is_told_in_the_dialect_of_the_installation(
    stream: JetStreamContext,
    options: Callable[..., BridgeOptions],
    broker: Broker,
    dialect: EventDialect,
    body_in: str,
) -> None:
    speaking = options().model_copy(update={"events": EventOptions(dialect=dialect)})
    running = Running(Bridge(speaking, dispatcher=broker, judge=broker.judge, capacity=unlimited))
    try:
        await until(lambda: running.bridge.statistics.connected)
        stored = await stream.publish(APPROVED, b"nonsense")
        reader = await stream.pull_subscribe("orchestration.message.rejected", durable="publisher")
        (event,) = await reader.fetch(1, timeout=60)
    finally:
        await running.end()
    assert json.loads(event.data)[body_in]["sequence"] == stored.seq


async def test_the_publisher_is_told_by_where_its_message_was_stored(run: Run, stream: JetStreamContext) -> None:
    await run()
    stored = await stream.publish(APPROVED, b"nonsense")
    reader = await stream.pull_subscribe("orchestration.message.rejected", durable="publisher")
    (event,) = await reader.fetch(1, timeout=60)
    body = json.loads(event.data)
    assert (body["subject"], body["stream"], body["sequence"]) == (APPROVED, stored.stream, stored.seq)
    assert body["reason"].startswith("the message is not JSON: ")
    assert event.headers is not None
    assert event.headers["ce-subject"] == f"{stored.stream}:{stored.seq}"


async def test_an_oversized_original_arrives_whole(
    run: Run, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    await run()
    large = b"x" * (2 << 20)
    await stream.publish(APPROVED, large)
    dead_letter = await only(dead_letters)
    assert dead_letter.data == large
    assert dead_letter.reason.startswith("the message has 2097152 bytes, 1048576 are allowed")


async def test_an_original_as_large_as_the_server_allows_is_found_in_its_stream(
    run: Run, client: Client, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    running = await run()
    largest = b"x" * client.max_payload
    await stream.publish(APPROVED, largest)
    dead_letter = await only(dead_letters)
    assert dead_letter.data == largest
    assert running.bridge.statistics.sessions == 1


async def test_a_dispatcher_that_never_takes_it_ends_among_the_dead_letters(
    run: Run, broker: Broker, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    broker.failures_left = 1000
    await run(max_deliver=3)
    await stream.publish(APPROVED, approval("plan-poison"))
    dead_letter = await only(dead_letters)
    assert dead_letter.reason == "not taken in 3 deliveries: ConnectionError: the broker is down"
    broker.failures_left = 0
    await dead_letters.replay(dead_letter.sequence)
    await until(lambda: broker.taken == ["plan-poison"])


async def test_what_jetstream_gave_up_on_is_shown_with_its_original(
    stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    body = approval("plan-spent")
    await spent(stream, "conclave-planning-plan-approved", body)
    await until(lambda: advised(stream, 1))
    (dead_letter,) = await dead_letters.list()
    assert dead_letter.reason == "delivered 1 times and never acknowledged"
    assert (dead_letter.subject, dead_letter.data, dead_letter.headers["colour"]) == (APPROVED, body, "red")


async def test_what_other_applications_gave_up_on_is_not_ours(
    run: Run, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    await stream.add_stream(name="CONCLAVE_DEAD_LETTERS", subjects=list(SUBJECTS_OF_0_1))
    await spent(stream, "conclave-dashboard", approval())
    await until(lambda: advised(stream, 1))
    assert await dead_letters.list() == ()
    with pytest.raises(NoSuchDeadLetter):
        await dead_letters.show(1)
    running = await run()
    await stream.publish(APPROVED, b"nonsense")
    await until(lambda: running.bridge.statistics.dead_letters)
    assert (await advised(stream, 2), running.bridge.statistics.dead_letters) == (True, 1)
    assert await dead_letters.purge() == 1


async def test_what_other_applications_gave_up_on_is_not_kept(stream: JetStreamContext) -> None:
    await spent(stream, "conclave-dashboard", approval("plan-theirs"))
    await spent(stream, "conclave-planning-plan-approved", approval("plan-ours"))
    await until(lambda: advised(stream, 1))
    kept = await stream.get_msg("CONCLAVE_DEAD_LETTERS", 1)
    assert kept.subject is not None
    assert kept.subject.endswith(".PLANNING_EVENTS.conclave-planning-plan-approved")


async def test_while_dead_letters_cannot_be_stored_the_message_stays(
    run: Run, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    running = await run()
    await stream.delete_stream("CONCLAVE_DEAD_LETTERS")
    await stream.publish(APPROVED, b"nonsense")
    await until(lambda: running.bridge.statistics.of(APPROVED).naks >= 2)
    await ensure(stream, dead_letter_stream(), StreamLimits())
    await until(lambda: counted(dead_letters, 1))


async def test_two_thousand_spoilt_messages_are_each_accepted_or_dead_lettered_and_the_bridge_stays(
    run: Run, broker: Broker, stream: JetStreamContext
) -> None:
    running = await run()
    rng = random.Random(5)
    for _ in range(4):
        messages = [(spoilt(rng), odd_headers(rng)) for _ in range(500)]
        await asyncio.gather(*(stream.publish(APPROVED, data, headers=headers) for data, headers in messages))
    seen = running.bridge.statistics.of(APPROVED)
    await until(lambda: seen.rejected + seen.accepted == 2000)
    assert min(seen.rejected, seen.accepted) > 100
    assert (seen.redelivered, seen.naks, running.bridge.statistics.sessions) == (0, 0, 1)
    assert await advised(stream, seen.rejected)
    await stream.publish(APPROVED, approval("plan-last"))
    await until(lambda: "plan-last" in broker.taken)
