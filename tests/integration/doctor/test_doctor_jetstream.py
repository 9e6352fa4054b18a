"""The doctor at a real NATS: what would lose or refuse messages is named with its remedy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest

from bridge.durable import ensure_durable
from bridge.options import ConsumerOptions, NatsOptions, StreamLimits
from bridge.streams import all_streams, ensure
from bridge.subjects import ADVISORIES, INBOUND
from domain.finding import Finding, Level
from tests.support.servers import NatsServer
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


class WithLittleStorage(NatsServer):
    """nats-server with an account that may store 20 MiB."""

    def _describe(self) -> ProcessCommand:
        configuration = self.folder / "little.conf"
        configuration.write_text(f"""
            jetstream {{ store_dir: "{self.folder}/jetstream" }}
            accounts {{ ours {{ jetstream {{ max_file: 20MB }}, users [ {{ user: us, password: us }} ] }} }}
            no_auth_user: us
        """)
        process = super()._describe()
        argv = (process.argv[0], "-c", str(configuration), "-a", "127.0.0.1", "-p", str(self.port))
        return replace(process, argv=argv)


def examine(server: NatsServer, *, largest: int = 1 << 20) -> dict[str, Finding]:
    """Return the findings by subject, of several the last."""
    return {one.subject: one for one in everything(server, largest=largest)}


def everything(server: NatsServer, *, largest: int = 1 << 20, durables: str = "conclave") -> list[Finding]:
    found = examine_nats(
        NatsOptions(url=(server.url,)),
        duplicate_window_s=WINDOW_S,
        max_message_bytes=largest,
        durables=durables,
    )
    return list(found)


def with_streams(server: NatsServer, **planning: Any) -> None:
    """Make the planning stream so, then the missing streams and the durables as a bridge does."""

    async def make() -> None:
        client = await nats.connect(server.url)
        stream = client.jetstream()
        if planning:
            await stream.add_stream(name="PLANS", subjects=["planning.>"], **planning)
        for plan in all_streams():
            await ensure(stream, plan, LIMITS)
        for subject in INBOUND:
            await ensure_durable(stream, subject, ConsumerOptions())
        await client.close()

    asyncio.run(make())


def approve(server: NatsServer, count: int, *, size: int = 1, subject: str = "planning.plan.approved") -> None:
    """Publish so many messages."""

    async def publish() -> None:
        client = await nats.connect(server.url)
        stream = client.jetstream()
        await asyncio.gather(*(stream.publish(subject, b"x" * size) for _ in range(count)))
        await client.close()

    asyncio.run(publish())


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


@pytest.mark.parametrize(
    ("discard", "then"), [("old", "its oldest messages are about to go"), ("new", "new messages will be refused")]
)
@pytest.mark.parametrize("limit", [{"max_bytes": 100_000}, {"max_msgs": 20}], ids=["bytes", "messages"])
def test_a_stream_that_is_nearly_full_is_named_with_what_will_happen(
    server: NatsServer, limit: dict[str, int], discard: str, then: str
) -> None:
    with_streams(server, duplicate_window=WINDOW_S, discard=discard, **limit)
    approve(server, 19, size=5_000)
    found = examine(server)["stream PLANS"]
    assert (found.level, f"% full; {then}" in found.text) == (Level.WARN, True), found.text


def test_a_stream_that_confirms_nothing_is_named_with_the_remedy(server: NatsServer) -> None:
    with_streams(server, duplicate_window=WINDOW_S, no_ack=True)
    found = examine(server)["stream PLANS"]
    assert (found.level, "nats stream edit PLANS --ack" in found.text) == (Level.FAIL, True), found.text


def test_messages_that_left_their_stream_unread_are_counted(server: NatsServer) -> None:
    with_streams(server, duplicate_window=WINDOW_S, max_msgs=10)
    approve(server, 14)
    found = [one for one in everything(server) if one.subject == "messages on planning.plan.approved"]
    assert [one.level for one in found] == [Level.OK, Level.WARN]
    assert found[0].text == "10 wait for a bridge, 0 are in flight"
    assert found[1].text.startswith("up to 4 have left stream PLANS before a bridge read them")


def test_a_long_backlog_is_named(server: NatsServer) -> None:
    with_streams(server)
    approve(server, 501)
    found = examine(server)["messages on planning.plan.approved"]
    assert (found.level, found.text.startswith("501 wait for a bridge")) == (Level.WARN, True)


def test_advisories_about_renamed_durables_are_missed(server: NatsServer) -> None:
    with_streams(server)
    found = [one for one in everything(server, durables="renamed") if one.subject == "dead letters"]
    assert [one.level for one in found] == [Level.WARN] * (len(ADVISORIES) * len(INBOUND)) + [Level.OK]
    assert found[0].text.startswith("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.*.renamed-planning-plan-approved")


def test_dead_letters_are_counted(server: NatsServer) -> None:
    with_streams(server)
    approve(server, 2, subject="conclave.dead_letter.planning.plan.approved")
    found = examine(server)["dead letters"]
    assert (found.level, found.text.startswith("2 messages")) == (Level.WARN, True)


@pytest.mark.parametrize(
    ("streams", "size", "words"),
    [
        ({"max_bytes": 19 << 20}, 0, "19 MiB reserved by the streams' limits of 20 MiB: a further stream"),
        ({}, 19 << 20, "18 MiB stored, 0 MiB reserved by the streams' limits of 20 MiB: soon it stores no more"),
    ],
)
def test_storage_that_is_nearly_used_up_is_named(
    tmp_path: Path, guard: Guard, streams: dict[str, Any], size: int, words: str
) -> None:
    with WithLittleStorage(tmp_path, guard=guard) as server:

        async def store() -> None:
            client = await nats.connect(server.url)
            await client.jetstream().add_stream(name="PLANS", subjects=["planning.>"], **streams)
            await client.close()

        asyncio.run(store())
        approve(server, size // 500_000, size=500_000)
        found = examine(server)["jetstream"]
    assert (found.level, words in found.text) == (Level.WARN, True), found.text


def test_messages_that_the_server_would_refuse_are_told(server: NatsServer) -> None:
    found = examine(server, largest=16 << 20)["nats"]
    assert (found.level, "raise its max_payload" in found.text) == (Level.WARN, True)


def test_a_server_without_jetstream_is_told_what_to_start(tmp_path: Path, guard: Guard) -> None:
    with WithoutJetStream(tmp_path, guard=guard) as server:
        found = examine(server)
    assert found["jetstream"].level is Level.FAIL
    assert "-js" in found["jetstream"].text
