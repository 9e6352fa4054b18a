"""The doctor at a real Valkey: what would lose work is named with its remedy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from domain.finding import Finding, Level
from tests.support.servers import ValkeyServer
from workers.doctor.store_server import examine_valkey, judge_skew
from workers.processes.guard import Guard
from workers.settings import Settings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[ValkeyServer]:
    """A server of this module's own: its configuration is changed."""
    with ValkeyServer(tmp_path_factory.mktemp("doctor"), guard=guard) as server:
        yield server


@pytest.fixture
def found(server: ValkeyServer, request: pytest.FixtureRequest) -> Iterator[dict[str, Finding]]:
    """What is found while the server is configured as the test's parameter says."""
    client = Redis.from_url(server.url)
    setting, wrong, right = getattr(request, "param", ("maxmemory-policy", "noeviction", "noeviction"))
    client.config_set(setting, wrong)
    yield {one.subject: one for one in examine_valkey(Settings.model_validate({"redis_url": server.url}))}
    client.config_set(setting, right)


def test_the_shipped_configuration_is_sound(found: dict[str, Finding]) -> None:
    assert {one.level for one in found.values()} == {Level.OK}
    assert set(found) >= {"valkey", "valkey version", "clock"}
    assert "broker, results and store under conclave:" in found["valkey"].text
    assert any(part.isdigit() for part in found["valkey version"].text.split("."))


@pytest.mark.parametrize("found", [("appendonly", "no", "yes")], indirect=True)
def test_without_an_append_only_file_a_restart_would_forget(found: dict[str, Finding]) -> None:
    assert found["valkey append-only file"].level is Level.FAIL
    assert "set appendonly yes" in found["valkey append-only file"].text


@pytest.mark.parametrize("found", [("maxmemory-policy", "allkeys-lru", "noeviction")], indirect=True)
def test_a_server_that_evicts_would_lose_tasks(found: dict[str, Finding]) -> None:
    assert found["valkey eviction"].level is Level.FAIL
    assert "allkeys-lru" in found["valkey eviction"].text
    assert "set noeviction" in found["valkey eviction"].text


@pytest.mark.parametrize(
    ("skew", "level"), [(0.4, Level.OK), (-1.9, Level.OK), (2.5, Level.WARN), (-9, Level.WARN)]
)
def test_clocks_that_differ_by_seconds_are_told_with_how_much(skew: float, level: Level) -> None:
    found = judge_skew(skew)
    assert (found.subject, found.level) == ("clock", level)
    assert level is Level.OK or f"{skew:+.1f} s" in found.text


def test_a_server_that_is_away_is_named_once() -> None:
    (found,) = examine_valkey(Settings.model_validate({"redis_url": "redis://127.0.0.1:1"}))
    assert (found.subject, found.level) == ("valkey", Level.FAIL)
    assert "127.0.0.1:1" in found.text
