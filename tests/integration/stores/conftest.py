"""A client of one server's third database, and a key prefix that no other test has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.support.factories import fresh
from tests.support.servers import ValkeyServer
from workers.adapters.redis.connection import connect


@pytest.fixture
def client(valkey_server: ValkeyServer) -> Iterator[Redis]:
    client = connect(f"{valkey_server.url}/2")
    yield client
    client.close()


@pytest.fixture
def prefix() -> str:
    return f"{fresh('test')}:"
