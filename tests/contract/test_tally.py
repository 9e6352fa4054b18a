"""Tally: counters change with the entry they tell of, once, whoever writes at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.ports.clock import Clock
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.tally import Tally
from tests.support.factories import closed, deliberation, fresh, opened
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.servers import ValkeyServer
from workers.adapters.redis.connection import connect
from workers.adapters.redis.deliberation_store import RedisDeliberationStore
from workers.adapters.redis.tally import RedisTally


@pytest.fixture(params=["memory", "redis"])
def counted(request: pytest.FixtureRequest) -> tuple[DeliberationStore, Tally]:
    clock: Clock = MemoryClock()
    if request.param == "memory":
        store = MemoryDeliberationStore(clock=clock, outbox=MemoryOutbox(clock=clock))
        return store, store
    server: ValkeyServer = request.getfixturevalue("valkey_server")
    client, prefix = connect(f"{server.url}/2"), f"{fresh('tally')}:"
    return (
        RedisDeliberationStore(client, clock=clock, retention_s=3600, prefix=prefix),
        RedisTally(client, prefix=prefix),
    )


def test_counters_begin_at_nothing(counted: tuple[DeliberationStore, Tally]) -> None:
    assert counted[1].counts() == {}


def test_an_entry_that_was_there_first_is_not_counted_again(counted: tuple[DeliberationStore, Tally]) -> None:
    store, tally = counted
    asked = deliberation()
    store.record(asked.deliberation_id, opened(asked))
    for _ in range(3):
        store.record(asked.deliberation_id, closed(), tally={"total|decided": 1, "total|tokens": 40})
    assert tally.counts() == {"total|decided": 1, "total|tokens": 40}


def test_many_writers_at_once_lose_no_count(counted: tuple[DeliberationStore, Tally]) -> None:
    store, tally = counted
    asked = [deliberation() for _ in range(40)]

    def play(index: int) -> None:
        one = asked[index % len(asked)]
        store.record(one.deliberation_id, opened(one))
        store.record(one.deliberation_id, closed(), tally={"total|decided": 1, "total|tokens": index % len(asked)})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(play, range(4 * len(asked))))
    assert tally.counts() == {"total|decided": 40, "total|tokens": sum(range(40))}
