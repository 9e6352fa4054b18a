"""The doctor at a real NATS: what would lose or refuse messages is named with its remedy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest

from bridge.options import NatsOptions, StreamLimits
from bridge.streams import all_streams, ensure
from tests.support.servers import NatsServer
from workers.doctor.finding import Finding, Level
from workers.doctor.jetstream import examine_nats
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.readiness import log_says

WINDOW_S = 600.0
LIMITS = StreamLimits(max_bytes=1 << 24, max_age_s=7 * 86_400, duplicate_window_s=WINDOW_S)


@pytest.fixture
def server(tmp_path: Path, guard: Guard) -> Iterator[NatsServer]:
    """A server of the test's own: streams have fixed subjects."""
    with NatsServer(tmp_path, guard=guard) as server:
        yield server


class WithoutJetStream(NatsServer):
    """nats-server as it starts without a word."""

    def _describe(self) -> ProcessCommand:
        process = super()._describe()
        argv = (process.argv[0], "-a", "127.0.0.1", "-p", str(self.port))
        return replace(process, argv=argv, ready=log_says("Server is ready"))


def examine(server: NatsServer, *, largest: int = 1 << 20) -> dict[str, Finding]:
    found = examine_nats(NatsOptions(url=(server.url,)), duplicate_window_s=WINDOW_S, max_message_bytes=largest)
    return {one.subject: one for one in found}


def with_streams(server: NatsServer, **planning: Any) -> None:
    """Make the planning stream so, then what is missing as a bridge does."""

    async def make() -> None:
        client = await nats.connect(server.url)
        stream = client.jetstream()
        if planning:
            await stream.add_stream(name="PLANS", subjects=["planning.>"], **planning)
        for plan in all_streams():
            await ensure(stream, plan, LIMITS)
        await client.close()

    asyncio.run(make())


def test_streams_that_a_bridge_made_are_sound_and_shown_with_their_limits(server: NatsServer) -> None:
    with_streams(server)
    found = examine(server)
    assert {one.level for one in found.values()} == {Level.OK}
    assert found["nats"].text.startswith("nats-server 2.")
    said = found["stream PLANNING_EVENTS"].text
    assert said.endswith("at most 16 MiB and 7 days, 1 copies, duplicates known for 600 s")


def test_streams_that_nobody_made_yet_are_no_failure(server: NatsServer) -> None:
    found = examine(server)
    assert found["stream PLANNING_EVENTS"].level is Level.WARN
    assert "a bridge makes the stream at its start" in found["stream PLANNING_EVENTS"].text


@pytest.mark.parametrize(
    ("planning", "level", "words"),
    [
        ({"storage": "memory", "duplicate_window": WINDOW_S}, Level.FAIL, "make it a file stream"),
        ({"duplicate_window": 60}, Level.WARN, "forgets duplicates after 60 s"),
        ({"retention": "workqueue", "duplicate_window": WINDOW_S}, Level.WARN, "workqueue retention"),
        ({"duplicate_window": WINDOW_S}, Level.OK, "any size and any age"),
        ({"duplicate_window": 1}, Level.WARN, "forgets duplicates after 1 s;"),
        ({"duplicate_window": 120}, Level.WARN, "forgets duplicates after 120 s;"),
        ({"duplicate_window": 14 * 86_400}, Level.OK, "duplicates known for 14 days"),
    ],
)
def test_a_stream_that_may_lose_messages_is_named(
    server: NatsServer, planning: dict[str, Any], level: Level, words: str
) -> None:
    with_streams(server, **planning)
    found = examine(server)["stream PLANS"]
    assert (found.level, words in found.text) == (level, True), found.text


def test_a_stream_that_is_nearly_full_is_named(server: NatsServer) -> None:
    with_streams(server, duplicate_window=WINDOW_S, max_bytes=100_000)

    async def fill() -> None:
        client = await nats.connect(server.url)
        for _ in range(19):
            await client.jetstream().publish("planning.plan.approved", b"x" * 5_000)
        await client.close()

    asyncio.run(fill())
    found = examine(server)["stream PLANS"]
    assert (found.level, "% full" in found.text) == (Level.WARN, True), found.text


def test_messages_that_the_server_would_refuse_are_told(server: NatsServer) -> None:
    found = examine(server, largest=16 << 20)["nats"]
    assert (found.level, "raise its max_payload" in found.text) == (Level.WARN, True)


def test_a_server_without_jetstream_is_told_what_to_start(tmp_path: Path, guard: Guard) -> None:
    with WithoutJetStream(tmp_path, guard=guard) as server:
        found = examine(server)
    assert found["jetstream"].level is Level.FAIL
    assert "-js" in found["jetstream"].text
