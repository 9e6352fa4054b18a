"""One pair of servers with users and permissions for the tests of both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.secured import SecuredNats, SecuredValkey
from tests.support.streams import make_streams
from workers.processes.guard import Guard


@pytest.fixture(scope="package")
def secured_nats(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredNats]:
    with SecuredNats(tmp_path_factory.mktemp("secured-nats"), guard=guard) as server:
        yield server


@pytest.fixture(scope="package")
def streams(secured_nats: SecuredNats) -> None:
    asyncio.run(make_streams(secured_nats.url_of("bridge")))


@pytest.fixture(scope="package")
def secured_valkey(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredValkey]:
    with SecuredValkey(tmp_path_factory.mktemp("secured-valkey"), guard=guard) as server:
        yield server
