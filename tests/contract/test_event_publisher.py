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
from domain.contract import ProgressBody
from domain.event import Event
from domain.event_types import PROGRESS
from domain.ports.event_publisher import EventPublisher
from tests.support.factories import event, fresh, progress_body
from tests.support.in_memory.event_publisher import MemoryEventPublisher
from tests.support.servers import NatsServer
from workers.portal import Portal
from workers.processes.readiness import wait_until


@dataclass
class Press:
    """A publisher, and what its readers have seen of a deliberation's progress."""

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
def deliberation_id() -> str:
    return fresh("d")


def progress(deliberation_id: str, **changes: Any) -> tuple[Event, dict[str, Any]]:
    """Return an event with an id of its own and the JSON object that its readers see."""
    body = progress_body(deliberation_id=deliberation_id, **changes)
    return event(body=body), body.model_dump(mode="json")


def test_events_are_read_in_the_order_of_publishing(press: Press, deliberation_id: str) -> None:
    events = [progress(deliberation_id, what=str(number)) for number in range(300)]
    press.publisher.publish([event for event, _ in events[:200]])
    press.publisher.publish([event for event, _ in events[200:]])
    assert press.read(deliberation_id) == [body for _, body in events]


def test_an_event_published_again_is_read_once(press: Press, deliberation_id: str) -> None:
    first, second = progress(deliberation_id, what="1"), progress(deliberation_id, what="2")
    press.publisher.publish([first[0], first[0]])
    press.publisher.publish([first[0], second[0]])
    assert press.read(deliberation_id) == [first[1], second[1]]


def test_a_body_is_read_as_it_was_written(press: Press, deliberation_id: str) -> None:
    added = {"ä": [1, 2.5, None, True, {"deep": "\u2028 \x00 \U0001f600"}], "big": 2**60}
    written, body = progress(deliberation_id, **added)
    press.publisher.publish([written])
    assert press.read(deliberation_id) == [body]
    assert body.items() >= added.items()


def test_publishing_nothing_does_nothing(press: Press, deliberation_id: str) -> None:
    press.publisher.publish([])
    press.publisher.publish_progress([])
    assert press.read(deliberation_id) == []


def test_progress_arrives_although_no_step_waits_for_it(press: Press, deliberation_id: str) -> None:
    ballot, seen = progress(deliberation_id, stage="ballot")
    press.publisher.publish_progress([ballot])
    assert wait_until(lambda: press.read(deliberation_id) == [seen], within=120)
    ranked, then_seen = progress(deliberation_id, stage="ranked")
    press.publisher.publish_progress([ballot])
    press.publisher.publish([ranked])
    assert press.read(deliberation_id) == [seen, then_seen]


def test_events_differ_by_id_not_by_content(press: Press, deliberation_id: str) -> None:
    body = progress_body(deliberation_id=deliberation_id)
    press.publisher.publish([event(body=body), event(body=body)])
    assert press.read(deliberation_id) == [body.model_dump(mode="json")] * 2


def _in_memory() -> Press:
    publisher = MemoryEventPublisher()

    def seen(deliberation_id: str) -> list[dict[str, Any]]:
        bodies = [event.body for event in publisher.read if isinstance(event.body, ProgressBody)]
        return [body.model_dump(mode="json") for body in bodies if body.deliberation_id == deliberation_id]

    return Press(publisher, seen)


def _over_nats(server: NatsServer, portal: Portal) -> Press:
    asyncio.run(_with_client(server, _ensure))
    publisher = NatsEventPublisher(NatsOptions(url=(server.url,)), portal)
    return Press(
        publisher,
        lambda deliberation_id: asyncio.run(_with_client(server, lambda client: _read(client, deliberation_id))),
    )


async def _with_client(server: NatsServer, use: Callable[[Client], Any]) -> Any:
    client = await nats.connect(server.url)
    try:
        return await use(client)
    finally:
        await client.close()


async def _ensure(client: Client) -> None:
    await ensure(client.jetstream(), ORCHESTRATOR, StreamLimits())


async def _read(client: Client, deliberation_id: str) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = []
    sequence = 1
    while stored := await message_from(client, ORCHESTRATOR.name, sequence, PROGRESS):
        bodies.append(json.loads(stored.data))
        sequence = stored.sequence + 1
    return [body for body in bodies if body["deliberation_id"] == deliberation_id]
