"""What a key of a person stands for, in memory and over JetStream, while no bridge has read anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from bridge.council_client import NatsCouncilClient
from bridge.nats_connection import connect
from bridge.options import NatsOptions, StreamLimits
from bridge.streams import ORCHESTRATOR, PLANNING, ensure
from domain.approval import Approval
from domain.errors import KeyTaken
from domain.ports.council_client import CouncilClient
from tests.support.factories import fresh, plan
from tests.support.in_memory.council_client import MemoryCouncilClient
from tests.support.servers import NatsServer

Talk = Callable[[Callable[[list[CouncilClient]], Awaitable[Any]]], Any]
"""Has two clients of one installation, as those of two processes, do something."""


@pytest.fixture(params=["memory", "nats"])
def talk(request: pytest.FixtureRequest) -> Iterator[Talk]:
    if request.param == "memory":
        client = MemoryCouncilClient()
        yield lambda act: asyncio.run(_awaited(act([client, client])))
        return
    server: NatsServer = request.getfixturevalue("nats_server")
    options = NatsOptions(url=(server.url,))

    async def over(act: Callable[[list[CouncilClient]], Awaitable[Any]]) -> Any:
        await _with_streams(options)
        clients = [NatsCouncilClient(options), NatsCouncilClient(options)]
        try:
            return await act([*clients])
        finally:
            for client in clients:
                await client.close()

    yield lambda act: asyncio.run(over(act))


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


async def _with_streams(options: NatsOptions) -> None:
    client = await connect(options)
    for stream in (PLANNING, ORCHESTRATOR):
        await ensure(client.jetstream(), stream, StreamLimits())
    await client.close()


def payload(**fields: Any) -> dict[str, Any]:
    return plan(**fields).model_dump(mode="json", exclude_unset=True)


def test_a_key_is_one_approval_whichever_process_takes_it(talk: Talk) -> None:
    key, first = fresh("key"), payload()
    again = first | {"timestamp": "2026-02-02T00:00:00Z"}

    async def act(clients: list[CouncilClient]) -> list[Approval]:
        return [await clients[0].approve(first, key=key), await clients[1].approve(again, key=key)]

    one, other = talk(act)
    assert (one.plan_id, one.revision) == (other.plan_id, other.revision)


@pytest.mark.parametrize("changed", [{"title": "another"}, {"plan_id": "p-another"}])
def test_a_key_stands_for_no_other_plan(talk: Talk, changed: dict[str, str]) -> None:
    key, first = fresh("key"), payload()

    async def act(clients: list[CouncilClient]) -> None:
        await clients[0].approve(first, key=key)
        with pytest.raises(KeyTaken):
            await clients[1].approve(first | changed, key=key)
        await clients[1].approve(first | changed, key=fresh("key"))

    talk(act)


def test_a_key_is_a_persons_own(talk: Talk) -> None:
    key = fresh("key")

    async def act(clients: list[CouncilClient]) -> None:
        await clients[0].approve(payload(approved_by="ada"), key=key)
        await clients[1].approve(payload(approved_by="grace"), key=key)

    talk(act)
