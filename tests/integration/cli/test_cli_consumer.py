"""`conclave consumer`: durables on the events, made, listed and deleted on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from tests.support.commands import Run, sentence
from tests.support.factories import fresh
from tests.support.secured import PASSWORD, SecuredNats
from tests.support.servers import NatsServer
from tests.support.streams import make_streams
from workers.processes.guard import Guard

COMPLETED = "orchestration.deliberation.completed"
FAILED = "orchestration.deliberation.failed"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredNats]:
    with SecuredNats(tmp_path_factory.mktemp("secured"), guard=guard) as server:
        yield server


@pytest.fixture(autouse=True)
def streams(own_nats: NatsServer, secured: SecuredNats) -> None:
    asyncio.run(make_streams(own_nats.url))
    asyncio.run(make_streams(secured.url_of("bridge")))


def read(url: str, durable: str, count: int) -> list[tuple[str, bytes]]:
    """Publish three events, and return what the durable delivers of them, by subject."""

    async def scenario() -> list[tuple[str, bytes]]:
        client: Client = await nats.connect(url)
        stream = client.jetstream()
        for subject in (COMPLETED, FAILED, "orchestration.plan.dispatched"):
            await stream.publish(subject, durable.encode())
        durables = await stream.pull_subscribe_bind(durable, stream="ORCHESTRATOR_EVENTS")
        messages = await durables.fetch(count, timeout=60)
        for message in messages:
            await message.ack_sync(timeout=60)
        await client.close()
        return [(message.subject, message.data) for message in messages]

    return asyncio.run(scenario())


def listed(run: Run) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in json.loads(run("consumer", "list", "--json").stdout)}


def test_a_consumer_is_made_read_from_listed_and_deleted(run: Run, own_nats: NatsServer) -> None:
    name = fresh("durable")
    options = (
        "--subject",
        COMPLETED,
        "--subject",
        FAILED,
        "--deliver",
        "new",
        "--ack-wait",
        "7",
        "--max-deliver",
        "3",
    )
    assert f"{name} reads {COMPLETED}, {FAILED}: 0 to come" in run("consumer", "create", name, *options).stdout
    assert read(own_nats.url, name, 2) == [(COMPLETED, name.encode()), (FAILED, name.encode())]
    assert listed(run)[name] == {
        "name": name,
        "subjects": [COMPLETED, FAILED],
        "ack_wait_s": 7.0,
        "max_deliver": 3,
        "pending": 0,
        "unacknowledged": 0,
    }
    assert name in run("consumer", "list").stdout
    assert run("consumer", "delete", name).stdout == f"{name} deleted\n"
    assert name not in listed(run)


def test_a_consumer_begins_with_the_oldest_decision_unless_told_otherwise(run: Run, own_nats: NatsServer) -> None:
    before, name = fresh("durable"), fresh("durable")
    run("consumer", "create", before, "--deliver", "new")
    read(own_nats.url, before, 1)
    run("consumer", "create", name)
    assert (COMPLETED, before.encode()) in read(own_nats.url, name, 10)


def test_the_same_consumer_again_is_left_alone_and_another_is_refused(run: Run) -> None:
    name = fresh("durable")
    run("consumer", "create", name)
    run("consumer", "create", name)
    refused = run("consumer", "create", name, "--subject", FAILED)
    assert refused.exit_code == 1
    assert f"consumer {name} exists with other options; delete it first" in sentence(refused)
    assert listed(run)[name]["subjects"] == [COMPLETED]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("create", "a.b"), "its name takes letters, digits, - and _"),
        (("create", "a", "--subject", "planning.>"), "its subjects must be one of orchestration."),
        (("create", "a", "--max-deliver", "0"), "its deliveries must be 1 or more, or -1 for no bound"),
        (("delete", "nobody"), "there is no consumer nobody on the events"),
        (("delete", "a.b>"), "a.b> can't be a consumer's name, which takes letters, digits, - and _"),
    ],
)
def test_what_can_not_be_is_one_sentence(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    refused = run("consumer", *arguments)
    assert refused.exit_code == 2
    assert reason in sentence(refused)


def test_subjects_that_overlap_are_told_in_the_server_s_words(run: Run) -> None:
    name = fresh("durable")
    refused = run("consumer", "create", name, "--subject", COMPLETED, "--subject", "orchestration.deliberation.*")
    assert refused.exit_code == 1
    assert f"NATS makes no consumer {name} like this: consumer subject filters cannot overlap" in sentence(refused)


def test_an_ack_wait_that_no_server_can_count_is_refused(run: Run) -> None:
    refused = run("consumer", "create", "a", "--ack-wait", "inf")
    assert refused.exit_code == 2
    assert "Invalid value for '--ack-wait'" in refused.output


def as_user(monkeypatch: pytest.MonkeyPatch, server: SecuredNats, user: str) -> None:
    monkeypatch.setenv("CONCLAVE_NATS_URL", server.url)
    monkeypatch.setenv("CONCLAVE_NATS_USER", user)
    monkeypatch.setenv("CONCLAVE_NATS_PASSWORD", PASSWORD.format(user=user))


def test_the_shipped_login_of_bridges_may_do_all_of_it(
    run: Run, secured: SecuredNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, secured, "bridge")
    run("consumer", "create", "client")
    assert set(listed(run)) == {"client"}
    run("consumer", "delete", "client")
    assert run("consumer", "list").stdout.startswith("no consumers")


def test_a_server_without_events_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with NatsServer(tmp_path / "empty") as server:
        monkeypatch.setenv("CONCLAVE_NATS_URL", server.url)
        refused = run("consumer", "list")
    assert refused.exit_code == 1
    assert "no stream holds the events; start a bridge" in sentence(refused)
