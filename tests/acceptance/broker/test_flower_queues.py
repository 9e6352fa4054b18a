"""The lengths of queues as Flower reads them, from the database and under the prefix that we use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flower.utils import broker  # type: ignore[import-untyped]

from tests.acceptance.broker.sentinels import MASTER, watched
from tests.support.factories import fresh
from tests.support.servers import ValkeyServer
from workers.app import make_app
from workers.flower import queue_lengths
from workers.processes.guard import Guard
from workers.settings import Settings


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    stock = broker.RedisSentinel
    queue_lengths.install()
    yield
    broker.RedisSentinel = stock


def waiting(url: str) -> Any:
    """Queue two tasks and ask as Flower's page does."""
    given = {"redis_url": url, "redis_sentinel_master": MASTER, "key_prefix": f"{fresh('flower')}:"}
    app = make_app(Settings.model_validate(given))
    for _ in range(2):
        app.send_task("outbox.flush")
    with app.connection() as connection:
        uri = connection.as_uri(include_password=True)

    async def ask() -> Any:
        options = {"broker_options": app.conf.broker_transport_options, "broker_use_ssl": app.conf.broker_use_ssl}
        return await broker.Broker(uri, **options).queues(["control", "llm.m"])

    return {queue["name"]: queue["messages"] for queue in asyncio.run(ask())}


def test_queues_are_counted_in_the_database_of_the_url(valkey_server: ValkeyServer) -> None:
    assert waiting(f"{valkey_server.url}/3") == {"control": 2, "llm.m": 0}


def test_queues_are_counted_there_behind_sentinels_too(tmp_path: Path, guard: Guard) -> None:
    with watched(tmp_path, guard) as servers:
        assert waiting(f"sentinel://127.0.0.1:{servers.sentinel.port}/3") == {"control": 2, "llm.m": 0}
