"""What every directory of engines does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from domain.engine import EngineKind, EngineRecord, Guidance
from domain.ports.engine_directory import EngineDirectory
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.servers import ValkeyServer
from workers.adapters.clock import SystemClock
from workers.adapters.redis.engine_directory import RedisEngineDirectory


@pytest.fixture(params=["memory", "redis", "redis-decoding"])
def directory(request: pytest.FixtureRequest) -> Iterator[EngineDirectory]:
    if request.param == "memory":
        yield MemoryEngineDirectory(clock=SystemClock())
        return
    server: ValkeyServer = request.getfixturevalue("valkey_server")
    client = Redis.from_url(server.url, decode_responses=request.param == "redis-decoding")
    yield RedisEngineDirectory(client, prefix=f"test-{uuid.uuid4().hex}:")
    client.close()


def record(name: str = "one", model: str = "Qwen/Qwen3-0.6B", **more: object) -> EngineRecord:
    fields = {
        "name": name,
        "model": model,
        "url": "http://127.0.0.1:8000/v1",
        "kind": EngineKind.VLLM,
        "guidance": Guidance.REGEX,
    }
    return EngineRecord.model_validate({**fields, **more})


def until(condition: Callable[[], bool], within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_an_empty_directory_serves_nothing(directory: EngineDirectory) -> None:
    assert directory.all() == ()
    assert directory.serving("Qwen/Qwen3-0.6B") == ()


def test_a_published_engine_is_found_by_its_model_with_all_it_said(directory: EngineDirectory) -> None:
    mine = record(gpu="0,1", slots=64, in_flight=3, waiting=1, context_length=8192, node="gpu-1", updated_at=1.5)
    directory.publish(mine, ttl_s=60)
    assert directory.serving("Qwen/Qwen3-0.6B") == (mine,)
    assert directory.serving("another") == ()


def test_publishing_again_replaces_what_the_engine_said_before(directory: EngineDirectory) -> None:
    directory.publish(record(in_flight=1), ttl_s=60)
    directory.publish(record(in_flight=5), ttl_s=60)
    assert [engine.in_flight for engine in directory.all()] == [5]


def test_engines_come_sorted_by_model_and_name(directory: EngineDirectory) -> None:
    for name, model in (("z", "a"), ("b", "b"), ("a", "b")):
        directory.publish(record(name, model), ttl_s=60)
    assert [engine.name for engine in directory.all()] == ["z", "a", "b"]
    assert [engine.name for engine in directory.serving("b")] == ["a", "b"]


def test_an_engine_that_is_not_renewed_vanishes_and_the_others_stay(directory: EngineDirectory) -> None:
    directory.publish(record("stays"), ttl_s=60)
    directory.publish(record("goes"), ttl_s=0.05)
    assert until(lambda: [engine.name for engine in directory.all()] == ["stays"])


def test_renewing_prolongs_an_engines_life(directory: EngineDirectory) -> None:
    directory.publish(record("short"), ttl_s=0.05)
    directory.publish(record("renewed"), ttl_s=0.05)
    directory.publish(record("renewed"), ttl_s=60)
    assert until(lambda: [engine.name for engine in directory.all()] == ["renewed"])


def test_a_withdrawn_engine_is_gone_at_once_and_may_come_back(directory: EngineDirectory) -> None:
    directory.publish(record(), ttl_s=60)
    directory.withdraw("one")
    assert directory.all() == ()
    directory.publish(record(), ttl_s=60)
    assert len(directory.all()) == 1


def test_withdrawing_an_unknown_engine_changes_nothing(directory: EngineDirectory) -> None:
    directory.publish(record(), ttl_s=60)
    directory.withdraw("nobody")
    assert len(directory.all()) == 1


def test_a_record_of_another_version_is_left_out_without_hiding_the_others(valkey_server: ValkeyServer) -> None:
    prefix = f"test-{uuid.uuid4().hex}:"
    with Redis.from_url(valkey_server.url) as client:
        directory = RedisEngineDirectory(client, prefix=prefix)
        directory.publish(record("readable"), ttl_s=60)
        directory.publish(record("newer"), ttl_s=60)
        client.set(f"{prefix}engine:newer", '{"name": "newer", "shape": "unknown"}')
        assert [engine.name for engine in directory.all()] == ["readable"]


def test_an_engine_on_its_way_is_known_and_serves_nobody(directory: EngineDirectory) -> None:
    directory.publish(record(ready=False), ttl_s=60)
    assert directory.serving("Qwen/Qwen3-0.6B") == ()
    assert len(directory.all()) == 1
