"""What operators do with dead letters over a real server: list, replay, purge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from bridge.dead_letters import DeadLetters
from domain.errors import NoSuchDeadLetter, NotReplayable
from tests.integration.bridge.conftest import (
    APPROVED,
    advised,
    approval,
    counted,
    make_streams_of_approvals,
    only,
    spent,
    until,
)

pytestmark = pytest.mark.anyio

Run = Callable[..., Any]


async def test_a_replay_sends_the_original_again_under_a_new_id(
    stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    body = approval("plan-spent")
    await spent(stream, "conclave-planning-plan-approved", body)
    await until(lambda: advised(stream, 1))
    (dead_letter,) = await dead_letters.list()
    replayed = await dead_letters.replay(dead_letter.sequence)
    again = await stream.get_msg("PLANNING_EVENTS", replayed.sequence)
    assert (replayed.subject, replayed.stream, again.data) == (APPROVED, "PLANNING_EVENTS", body)
    assert again.headers == {"colour": "red", "Nats-Msg-Id": replayed.message_id}
    assert replayed.message_id != "m-1"
    assert await dead_letters.list() == ()


async def test_a_message_replayed_before_its_cause_is_gone_comes_back(
    run: Run, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    await run()
    await stream.publish(APPROVED, b"nonsense")
    first = await only(dead_letters)
    await dead_letters.replay(first.sequence)
    second = await only(dead_letters)
    assert second.sequence > first.sequence
    assert second.data == b"nonsense"


async def test_what_is_gone_cannot_be_replayed(stream: JetStreamContext, dead_letters: DeadLetters) -> None:
    await spent(stream, "conclave-planning-plan-approved", approval())
    await until(lambda: advised(stream, 1))
    await stream.purge_stream("PLANNING_EVENTS")
    (dead_letter,) = await dead_letters.list()
    assert dead_letter.data is None
    with pytest.raises(NotReplayable, match="no longer in its stream"):
        await dead_letters.replay(dead_letter.sequence)


async def test_letters_are_purged_one_by_one_or_all(
    run: Run, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    await run()
    for number in range(4):
        await stream.publish(APPROVED, str(number).encode())
    await until(lambda: counted(dead_letters, 4))
    first = (await dead_letters.list())[0]
    assert await dead_letters.purge(first.sequence) == 1
    assert first not in await dead_letters.list()
    with pytest.raises(NoSuchDeadLetter):
        await dead_letters.purge(first.sequence)
    assert await dead_letters.purge() == 3
    assert await dead_letters.list() == ()


async def test_a_long_list_is_read_in_pages(stream: JetStreamContext, dead_letters: DeadLetters, run: Run) -> None:
    await run()
    bodies = [str(number).encode() for number in range(7)]
    for body in bodies:
        await stream.publish(APPROVED, body)
    await until(lambda: counted(dead_letters, 7))
    first = await dead_letters.list(limit=4)
    rest = await dead_letters.list(after=first[-1].sequence)
    assert (len(first), len(rest)) == (4, 3)
    assert sorted(dead_letter.data or b"" for dead_letter in first + rest) == bodies


async def test_without_any_stream_there_are_no_letters(dead_letters: DeadLetters) -> None:
    assert await dead_letters.list() == ()
    assert await dead_letters.purge() == 0
    with pytest.raises(NoSuchDeadLetter):
        await dead_letters.show(1)


ADVISORY = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.PLANNING_EVENTS.conclave-planning-plan-approved"
FORGED = (
    b"",
    b"[]",
    b"\xff",
    b"{}",
    b'{"stream": 5}',
    b'{"stream": "PLANNING_EVENTS", "stream_seq": -1}',
    b'{"stream": "PLANNING_EVENTS", "stream_seq": "x"}',
    b'{"stream": "no such > stream", "stream_seq": 1}',
    b'{"stream": "PLANNING_EVENTS", "stream_seq": 1, "deliveries": null}',
    b'{"stream": "PLANNING_EVENTS", "stream_seq": 9223372036854775807}',
)


async def test_no_message_breaks_the_list(stream: JetStreamContext, dead_letters: DeadLetters) -> None:
    """Whoever may publish there can write anything: each shows as a dead letter, and the good one is found."""
    await make_streams_of_approvals(stream)
    subject = f"conclave.dead_letter.{APPROVED}"
    for data in FORGED:
        await stream.publish(ADVISORY, data)
    for headers in ({"Conclave-Omitted": "1"}, {"Conclave-Stream": "a b", "Conclave-Omitted": "1"}, {}):
        await stream.publish(subject, b"\x00", headers=headers or None)
    found = await dead_letters.list()
    assert len(found) == len(FORGED) + 3
    assert all(letter.reason or letter.subject == "" for letter in found)
    for letter in found:
        with pytest.raises(NotReplayable):
            await dead_letters.replay(letter.sequence)


async def test_a_replay_goes_only_where_bridges_read(
    client: Client, stream: JetStreamContext, dead_letters: DeadLetters
) -> None:
    await make_streams_of_approvals(stream)
    headers = {"Conclave-Subject": "orchestration.deliberation.completed"}
    await stream.publish(f"conclave.dead_letter.{APPROVED}", b"{}", headers=headers)
    (letter,) = await dead_letters.list()
    heard = await client.subscribe("orchestration.>")
    with pytest.raises(NotReplayable, match="no bridge reads"):
        await dead_letters.replay(letter.sequence)
    assert heard.pending_msgs == 0


async def test_a_replay_that_was_interrupted_says_that_it_had_been_sent(
    run: Run, stream: JetStreamContext, dead_letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await run()
    await stream.publish(APPROVED, b"nonsense")
    letter = await only(dead_letters)
    await running.end()

    async def killed(sequence: int) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(dead_letters, "_remove", killed)
        with pytest.raises(ConnectionError):
            await dead_letters.replay(letter.sequence)
    replayed = await dead_letters.replay(letter.sequence)
    assert replayed.before
    assert replayed.message_id not in (f"replay-{letter.sequence}", f"replay-{letter.stream_sequence}")
    assert (await stream.stream_info("PLANNING_EVENTS")).state.messages == 2
