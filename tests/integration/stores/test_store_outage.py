"""The store over a Valkey that dies, freezes and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError

from domain.entry import Entry
from domain.ports.deliberation_store import DeliberationStore
from tests.support.factories import closed, deliberation, event, opened, plan_request, proposed
from tests.support.servers import ValkeyServer
from tests.support.stores import Stores, redis_stores
from workers.adapters.clock import SystemClock
from workers.adapters.redis.connection import connect
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until


@pytest.fixture
def server(tmp_path: Path, guard: Guard) -> Iterator[ValkeyServer]:
    """A server of the test's own, to be killed."""
    with ValkeyServer(tmp_path, guard=guard) as server:
        yield server


@pytest.fixture
def client(server: ValkeyServer) -> Iterator[Redis]:
    client = connect(f"{server.url}/2", patience_s=30)
    yield client
    client.close()


@pytest.fixture
def stores(client: Redis) -> Stores:
    return redis_stores(client, SystemClock(), prefix="outage:")


def test_what_reached_the_disk_survives_a_kill_and_the_same_client_goes_on(
    server: ValkeyServer, client: Redis, stores: Stores
) -> None:
    """With `appendfsync everysec` the disk follows within a second, two under load; WAITAOF waits for it here."""
    ident = _open(stores.deliberations)
    request = plan_request()
    stores.plans.save([request])
    token = stores.deliberations.take_over(ident)
    saved = event()
    stores.deliberations.record(ident, proposed("agent-1"), events=[saved], token=token)
    assert client.waitaof(1, 0, 0) == [1, 0]
    server.kill9()
    server.start()
    assert stores.deliberations.load(ident).attempt(0, "agent-1") == proposed("agent-1")
    assert stores.plans.load(request.request_id) == request
    assert saved in stores.outbox.pending(10)
    assert stores.deliberations.take_over(ident) == token + 1, "a token given before the kill stays void"
    assert stores.deliberations.record(ident, closed()).key == "closed"


def test_writes_go_on_through_a_kill_and_what_is_lost_is_only_the_tail(
    server: ValkeyServer, stores: Stores
) -> None:
    ident = _open(stores.deliberations)
    answered: list[str] = []
    enough = Event()

    def write() -> None:
        while not enough.is_set():
            entry = proposed(f"agent-{len(answered)}")
            stores.deliberations.record(ident, entry, events=[event(event_id=f"e-{len(answered)}")])
            answered.append(entry.key)

    writer = Thread(target=write)
    writer.start()
    assert wait_until(lambda: len(answered) > 100, within=120)
    server.kill9()
    before = len(answered)
    server.start()
    assert wait_until(lambda: len(answered) > before + 100, within=120)
    enough.set()
    writer.join()
    survived = set(stores.deliberations.load(ident).entries)
    lost = [number for number, key in enumerate(answered) if key not in survived]
    assert not lost or lost == list(range(lost[0], lost[-1] + 1)), "an append-only file loses its end or nothing"
    assert all(number <= before for number in lost), "nothing written after the restart is lost"
    saved = {saved.event_id for saved in stores.outbox.pending(100_000)}
    assert saved == {f"e-{answered.index(key)}" for key in survived - {"opened"}}, "neither without the other"


def test_a_call_gives_up_on_a_frozen_server_and_counts_once_all_the_same(
    server: ValkeyServer, stores: Stores
) -> None:
    ident = _open(stores.deliberations)
    hasty = connect(f"{server.url}/2?socket_timeout=0.1", patience_s=0.5)
    over_hasty = redis_stores(hasty, SystemClock(), prefix="outage:")
    saved = [event(), event()]
    hasty.ping()
    server.freeze()
    with pytest.raises(TimeoutError):
        over_hasty.deliberations.record(ident, proposed(text="sent into the ice"), events=saved[:1])
    server.thaw()
    kept = over_hasty.deliberations.record(ident, proposed(text="sent again"), events=saved[1:])
    assert stores.deliberations.load(ident).attempt(0, "agent-1") == kept
    first = kept == proposed(text="sent into the ice")
    assert stores.outbox.pending(10) == ((saved[0],) if first else (saved[1],))


def test_a_server_that_stays_away_is_an_error_and_its_return_is_noticed(
    server: ValkeyServer,
) -> None:
    stores = redis_stores(connect(f"{server.url}/2", patience_s=0.3), SystemClock())
    ident = _open(stores.deliberations)
    server.stop()
    with pytest.raises(ConnectionError):
        stores.deliberations.record(ident, proposed())
    server.start()
    assert stores.deliberations.record(ident, proposed()) == proposed()


def test_calls_begun_while_the_server_is_away_succeed_when_it_comes(server: ValkeyServer, client: Redis) -> None:
    server.stop()
    never_used = connect(server.url, patience_s=30)
    answers: list[object] = []
    threads = [Thread(target=lambda one=one: answers.append(one.ping())) for one in (client, never_used)]
    for thread in threads:
        thread.start()
    server.start()
    for thread in threads:
        thread.join()
    assert answers == [True, True]


def test_many_threads_ride_out_a_restart_together(server: ValkeyServer, stores: Stores) -> None:
    ident = _open(stores.deliberations)
    seen: list[Entry] = []

    def write() -> None:
        for number in range(200):
            seen.append(stores.deliberations.record(ident, proposed(f"agent-{number}")))

    threads = [Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert wait_until(lambda: len(seen) > 200, within=120)
    server.restart()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 * 200
    assert len(stores.deliberations.load(ident).entries) == 201


def test_a_script_unknown_after_a_restart_is_sent_again(
    server: ValkeyServer, client: Redis, stores: Stores
) -> None:
    ident = _open(stores.deliberations)
    client.script_flush()
    assert stores.deliberations.record(ident, proposed()) == proposed()
    client.script_flush()
    request = plan_request()
    stores.plans.save([request, request])
    assert stores.plans.load(request.request_id) == request


def _open(store: DeliberationStore) -> str:
    begun = deliberation()
    store.record(begun.deliberation_id, opened(begun))
    return begun.deliberation_id
