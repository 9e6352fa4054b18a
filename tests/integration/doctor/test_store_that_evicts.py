"""Bridge and workers say at their start that the store may evict what they keep there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from redis import Redis

from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from workers.doctor.store_server import warn_of_eviction
from workers.processes.guard import Guard

SENTENCE = "maxmemory-policy allkeys-lru throws work away when memory is short; set noeviction"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[ValkeyServer]:
    """A server of this module's own: its configuration is changed."""
    with ValkeyServer(tmp_path_factory.mktemp("evicts"), guard=guard) as server:
        yield server


@pytest.fixture
def client(server: ValkeyServer) -> Redis:
    return Redis.from_url(server.url, decode_responses=True)


def configure(client: Redis, *, policy: str, maxmemory: str) -> None:
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", maxmemory)


def warnings(client: Redis) -> list[str]:
    with structlog.testing.capture_logs() as lines:
        warn_of_eviction(client)
    return [line["reason"] for line in lines if line["log_level"] == "warning"]


@pytest.mark.parametrize(
    ("policy", "maxmemory", "reasons"),
    [
        ("allkeys-lru", "512mb", [SENTENCE]),
        ("allkeys-lru", "0", []),
        ("noeviction", "512mb", []),
    ],
)
def test_only_a_store_with_a_limit_and_such_a_policy_evicts(
    client: Redis, policy: str, maxmemory: str, reasons: list[str]
) -> None:
    configure(client, policy=policy, maxmemory=maxmemory)
    assert warnings(client) == reasons


def test_a_store_that_lets_nobody_look_or_is_away_is_passed_over(server: ValkeyServer, client: Redis) -> None:
    configure(client, policy="allkeys-lru", maxmemory="512mb")
    client.acl_setuser("blind", enabled=True, passwords=["+blind"], commands=["+@all", "-info"], keys=["*"])
    assert warnings(Redis.from_url(server.url.replace("://", "://blind:blind@"))) == []
    assert warnings(Redis.from_url("redis://127.0.0.1:1")) == []


def test_bridge_and_worker_say_so_at_their_start(
    tmp_path: Path, guard: Guard, server: ValkeyServer, client: Redis
) -> None:
    configure(client, policy="allkeys-lru", maxmemory="512mb")
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=server.url) as fleet,
    ):
        for service in (fleet.bridge(), fleet.control()):
            service.start()
            lines = [line for line in service.log.tail(200) if "allkeys-lru" in line]
            assert len(lines) == 1, service.log.tail()
            assert SENTENCE in lines[0]
