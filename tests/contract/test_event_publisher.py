"""What every event publisher does, in memory and over JetStream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from bridge.event_publisher import NatsEventPublisher
from bridge.options import NatsOptions, StreamLimits
from bridge.stored import message_from
from bridge.streams import ORCHESTRATOR, ensure
from domain.ports.event_publisher import EventPublisher
from tests.support.factories import event, fresh
from tests.support.in_memory.event_publisher import MemoryEventPublisher
from tests.support.servers import NatsServer
from workers.portal import Portal
from workers.processes.readiness import wait_until


@dataclass
class Press:
    """A publisher, and what its readers have seen on a subject."""

    publisher: EventPublisher
    read: Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture(params=["memory", "nats"])
def press(request: pytest.FixtureRequest) -> Press:
    if request.param == "memory":
        return _in_memory()
    return _over_nats(request.getfixturevalue("nats_server"), request.getfixturevalue("portal"))


@pytest.fixture
def subject() -> str:
    return f"orchestration.{fresh('test')}"


def test_events_are_read_in_the_order_of_publishing(press: Press, subject: str) -> None:
    events = [event(event_type=subject, body={"n": number}) for number in range(300)]
    press.publisher.publish(events[:200])
    press.publisher.publish(events[200:])
    assert press.read(subject) == [{"n": number} for number in range(300)]


def test_an_event_published_again_is_read_once(press: Press, subject: str) -> None:
    first, second = event(event_type=subject, body={"n": 1}), event(event_type=subject, body={"n": 2})
    press.publisher.publish([first, first])
    press.publisher.publish([first, second])
    assert press.read(subject) == [{"n": 1}, {"n": 2}]


def test_a_body_is_read_as_it_was_written(press: Press, subject: str) -> None:
    body = {"ä": [1, 2.5, None, True, {"deep": "\u2028 \x00 \U0001f600"}], "big": 2**60}
    press.publisher.publish([event(event_type=subject, body=body)])
    assert press.read(subject) == [body]


def test_publishing_nothing_does_nothing(press: Press, subject: str) -> None:
    press.publisher.publish([])
    press.publisher.publish_progress([])
    assert press.read(subject) == []


def test_progress_arrives_although_nobody_waits_for_it(press: Press, subject: str) -> None:
    progress = event(event_type=subject, body={"stage": "ballot"})
    press.publisher.publish_progress([progress])
    assert wait_until(lambda: press.read(subject) == [{"stage": "ballot"}], within=10)
    press.publisher.publish_progress([progress])
    press.publisher.publish([event(event_type=subject, body={"stage": "ranked"})])
    assert press.read(subject) == [{"stage": "ballot"}, {"stage": "ranked"}]


def test_events_differ_by_id_not_by_content(press: Press, subject: str) -> None:
    twins = [event(event_type=subject, body={}), event(event_type=subject, body={})]
    press.publisher.publish(twins)
    assert press.read(subject) == [{}, {}]


def _in_memory() -> Press:
    publisher = MemoryEventPublisher()

    def seen(subject: str) -> list[dict[str, Any]]:
        return [progress.body for progress in publisher.read if progress.event_type == subject]

    return Press(publisher, seen)


def _over_nats(server: NatsServer, portal: Portal) -> Press:
    asyncio.run(_with_client(server, _ensure))
    publisher = NatsEventPublisher(NatsOptions(url=(server.url,)), portal)
    return Press(
        publisher, lambda subject: asyncio.run(_with_client(server, lambda client: _read(client, subject)))
    )


async def _with_client(server: NatsServer, use: Callable[[Client], Any]) -> Any:
    client = await nats.connect(server.url)
    try:
        return await use(client)
    finally:
        await client.close()


async def _ensure(client: Client) -> None:
    await ensure(client.jetstream(), ORCHESTRATOR, StreamLimits())


async def _read(client: Client, subject: str) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = []
    sequence = 1
    while stored := await message_from(client, ORCHESTRATOR.name, sequence, subject):
        bodies.append(json.loads(stored.data))
        sequence = stored.sequence + 1
    return bodies
