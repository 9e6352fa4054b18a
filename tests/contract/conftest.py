"""The stores that every behaviour suite runs over: in memory always, and in a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from domain.ports.clock import Clock
from tests.support.in_memory.clock import MemoryClock
from tests.support.servers import ValkeyServer
from tests.support.stores import LONG, MakeStores, Stores, memory_stores, redis_stores
from workers.adapters.redis.connection import connect


@pytest.fixture
def valkey(valkey_server: ValkeyServer) -> Iterator[Redis]:
    """A client of the run's Valkey server, in the database that stores use."""
    client = connect(f"{valkey_server.url}/2")
    yield client
    client.close()


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture(params=["memory", "redis"])
def make_stores(request: pytest.FixtureRequest) -> MakeStores:
    if request.param == "memory":
        return memory_stores
    client: Redis = request.getfixturevalue("valkey")

    def over_valkey(clock: Clock, retention_s: float = LONG, *, places: int = 0) -> Stores:
        return redis_stores(client, clock, retention_s, places=places)

    return over_valkey


@pytest.fixture
def stores(make_stores: MakeStores, clock: MemoryClock) -> Stores:
    return make_stores(clock)
