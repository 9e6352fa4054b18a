"""What the store keeps stays bounded, and what others wrote into it is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from domain.errors import NewerRecord
from tests.support.factories import (
    closed,
    completed_body,
    deliberation,
    event,
    opened,
    plan,
    plan_request,
    proposed,
)
from tests.support.in_memory.clock import MemoryClock
from tests.support.servers import ValkeyServer
from tests.support.stores import Stores, redis_stores
from workers.adapters.clock import SystemClock
from workers.adapters.redis.connection import connect
from workers.adapters.redis.encoding import Unreadable
from workers.adapters.redis.keys import Keys
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until


def test_ended_deliberations_leave_nothing_behind_after_retention(client: Redis, prefix: str) -> None:
    stores = redis_stores(client, SystemClock(), retention_s=0.4, prefix=prefix)
    _deliberate(stores, 50)
    assert wait_until(lambda: _keys(client, prefix) == {"deliberations:continuity"}, within=120)


def test_published_events_leave_nothing_behind_after_retention(client: Redis, prefix: str) -> None:
    outbox = redis_stores(client, SystemClock(), retention_s=0.2, prefix=prefix).outbox
    (saved,) = outbox.put([event()])
    outbox.published([saved.event_id])
    assert wait_until(lambda: _keys(client, prefix) == {"deliberations:continuity"}, within=120)


def test_under_steady_traffic_the_indexes_forget_what_is_past_retention(client: Redis, prefix: str) -> None:
    clock = MemoryClock()
    stores = redis_stores(client, clock, retention_s=60, prefix=prefix)
    approved = plan()
    for repeat in range(10):
        again = deliberation(approved, repeat=repeat)
        stores.deliberations.record(again.deliberation_id, opened(again), events=[event()])
        clock.advance(30)
    keys = Keys(prefix)
    assert [client.zcard(key) for key in (keys.of_plan(approved.plan_id), keys.newest, keys.outbox_put_ids)] == [
        2,
        2,
        2,
    ]
    stores.outbox.put([event()])
    assert client.zcard(keys.outbox_put_ids) == 2


def test_an_open_deliberation_has_no_expiry_until_its_end(client: Redis, prefix: str) -> None:
    stores = redis_stores(client, SystemClock(), retention_s=60, prefix=prefix)
    begun = deliberation()
    key = Keys(prefix).deliberation(begun.deliberation_id)
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    stores.deliberations.record(begun.deliberation_id, proposed())
    assert client.ttl(key) == -1
    stores.deliberations.record(begun.deliberation_id, closed())
    assert 0 < client.ttl(key) <= 60


def test_an_entry_of_a_newer_version_is_named_and_never_guessed_at(client: Redis, prefix: str) -> None:
    stores = redis_stores(client, SystemClock(), prefix=prefix)
    begun = deliberation()
    ident = begun.deliberation_id
    stores.deliberations.record(ident, opened(begun))
    written = {
        "seance/0": ('{"kind": "seance", "spirit": "secret"}', "unknown kind 'seance'; a newer version wrote it"),
        "proposal/0/agent-1": (proposed().model_dump_json()[:-1] + ', "mood": "secret"}', "mood: Extra inputs"),
        "proposal/0/agent-2": ('{"kind": "proposal", "agent_id": 7, "text": "secret"}', "agent_id: Input should"),
        "proposal/0/agent-3": ("secret", "it is not JSON"),
    }
    for key, (raw, reason) in written.items():
        client.hset(Keys(prefix).deliberation(ident), key, raw)
        with pytest.raises(Unreadable, match=f"entry {key} of {ident} can't be read: .*{reason}") as caught:
            stores.deliberations.load(ident)
        assert "secret" not in str(caught.value)
        # A task waits for a process that knows them, and not for what no version wrote.
        assert isinstance(caught.value, NewerRecord) == (key in ("seance/0", "proposal/0/agent-1"))
        client.hdel(Keys(prefix).deliberation(ident), key)
    assert stores.deliberations.load(ident).deliberation == begun


@pytest.mark.parametrize("moment", [float("nan"), float("inf")])
def test_what_could_not_be_read_back_is_not_written(client: Redis, prefix: str, moment: float) -> None:
    stores = redis_stores(client, SystemClock(), prefix=prefix)
    begun = deliberation()
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    with pytest.raises(ValueError, match="at"):
        stores.deliberations.record(begun.deliberation_id, proposed(at=moment))
    with pytest.raises(ValueError, match="occurred_at"):
        stores.deliberations.record(begun.deliberation_id, proposed(), events=[event(occurred_at=moment)])
    with pytest.raises(ValueError, match="surrogates"):
        stores.outbox.put([event(body=completed_body(synthesis="\ud800"))])
    assert list(stores.deliberations.load(begun.deliberation_id).entries) == ["opened"]
    assert stores.outbox.pending(10) == ()


def test_a_full_server_refuses_the_whole_step(tmp_path: Path, guard: Guard) -> None:
    with ValkeyServer(tmp_path, guard=guard) as server:
        client = connect(server.url)
        stores = redis_stores(client, SystemClock())
        begun = deliberation()
        stores.deliberations.record(begun.deliberation_id, opened(begun))
        client.config_set("maxmemory", "1mb")
        with pytest.raises(OutOfMemoryError):
            stores.deliberations.record(begun.deliberation_id, proposed(), events=[event()])
        client.config_set("maxmemory", "0")
        assert list(stores.deliberations.load(begun.deliberation_id).entries) == ["opened"]
        assert stores.outbox.pending(10) == ()
        assert stores.deliberations.record(begun.deliberation_id, proposed()) == proposed()


def _deliberate(stores: Stores, count: int) -> None:
    """Take deliberations of plans of their own from acceptance to the published end."""
    for _ in range(count):
        request = plan_request()
        stores.plans.save([request])
        begun, started, ended = deliberation(request.plan), event(), event()
        stores.deliberations.record(begun.deliberation_id, opened(begun), events=[started])
        stores.deliberations.take_over(begun.deliberation_id)
        stores.deliberations.record(begun.deliberation_id, proposed())
        stores.deliberations.record(begun.deliberation_id, closed(), events=[ended])
        stores.outbox.published([started.event_id, ended.event_id])
        stores.plans.mark_dispatched(request.request_id)


def _keys(client: Redis, prefix: str) -> set[str]:
    return {str(key).removeprefix(prefix) for key in client.scan_iter(f"{prefix}*")}
