"""One pair of servers with users and permissions for the tests of both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import nats
import pytest

from bridge.options import StreamLimits
from bridge.streams import all_streams, ensure
from tests.support.secured import SecuredNats, SecuredValkey
from workers.processes.guard import Guard


@pytest.fixture(scope="package")
def secured_nats(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredNats]:
    with SecuredNats(tmp_path_factory.mktemp("secured-nats"), guard=guard) as server:
        yield server


@pytest.fixture(scope="package")
def streams(secured_nats: SecuredNats) -> None:
    """Make our streams, as bridges do."""

    async def create() -> None:
        async with await nats.connect(secured_nats.url_of("bridge")) as client:
            for plan in all_streams():
                await ensure(client.jetstream(), plan, StreamLimits())

    asyncio.run(create())


@pytest.fixture(scope="package")
def secured_valkey(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredValkey]:
    with SecuredValkey(tmp_path_factory.mktemp("secured-valkey"), guard=guard) as server:
        yield server
