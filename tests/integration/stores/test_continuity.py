"""A store that was restarted, emptied or replaced knows it, and takes no end until it was compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.entry import Closed, Opened
from domain.errors import StoreUnreconciled
from domain.event_types import FAILED
from domain.events import ending, failed_body
from tests.support.factories import closed, deliberation, event, verdict
from tests.support.in_memory.clock import MemoryClock
from tests.support.servers import ValkeyServer
from tests.support.stores import LONG, redis_stores
from workers.adapters.redis.connection import connect
from workers.adapters.redis.continuity import MARGIN_S
from workers.processes.guard import Guard


def test_a_restart_and_a_flush_show_as_gaps_and_hold_ends_back(tmp_path: Path, guard: Guard) -> None:
    clock = MemoryClock()
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        client = connect(server.url)
        stores = redis_stores(client, clock)
        assert stores.continuity.gap() is None
        whole_at = clock.now()
        opened = deliberation()
        stores.deliberations.record(opened.deliberation_id, Opened(deliberation=opened))
        body = failed_body(opened, at=clock.now(), reason="no", failures=())
        event = ending(opened, body)
        end = Closed(status="failed", at=clock.now(), event_id=event.event_id, reason="no", result=body)

        clock.advance(1000)
        server.kill9()
        server.start()
        gap = stores.continuity.gap()
        assert gap is not None
        assert gap.since == pytest.approx(whole_at - MARGIN_S)
        with pytest.raises(StoreUnreconciled, match="conclave reconcile"):
            stores.deliberations.record(opened.deliberation_id, end, events=[event])
        assert stores.outbox.count() == 0
        assert stores.continuity.close(gap)
        assert stores.deliberations.record(opened.deliberation_id, end, events=[event]) == end

        client.flushall()
        gap = stores.continuity.gap()
        assert gap is not None
        assert gap.since == pytest.approx(clock.now() - LONG)

        server.kill9()
        server.start()
        assert not stores.continuity.close(gap), "the server is another by now"
        assert stores.continuity.gap() is not None


def test_a_gap_holds_verdicts_back_that_are_to_be_told_and_no_others(tmp_path: Path, guard: Guard) -> None:
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        client = connect(server.url)
        stores = redis_stores(client, MemoryClock())
        begun = deliberation()
        stores.deliberations.record(begun.deliberation_id, Opened(deliberation=begun))
        stores.deliberations.record(begun.deliberation_id, closed())
        assert stores.continuity.is_whole()
        assert client.waitaof(1, 0, 0) == [1, 0]

        server.kill9()
        server.start()
        assert not stores.continuity.is_whole()
        to_tell, told, compared = (verdict(begun.deliberation_id) for _ in range(3))
        with pytest.raises(StoreUnreconciled, match="conclave reconcile"):
            stores.verdicts.record(to_tell, after=0, events=[event()])
        assert stores.verdicts.of(begun.deliberation_id) == ()
        stores.verdicts.record(told, after=0)
        stores.verdicts.record(compared, after=1, events=[event()], compared=True)
        gap = stores.continuity.gap()
        assert gap is not None
        assert stores.continuity.close(gap)
        assert stores.continuity.is_whole()
        assert stores.verdicts.record(to_tell, after=2, events=[event()]) == to_tell


def test_an_end_that_was_told_needs_no_whole_store(tmp_path: Path, guard: Guard) -> None:
    clock = MemoryClock()
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        stores = redis_stores(connect(server.url), clock)
        opened = deliberation()
        stores.deliberations.record(opened.deliberation_id, Opened(deliberation=opened))
        server.kill9()
        server.start()
        body = failed_body(opened, at=clock.now(), reason="no", failures=())
        end = Closed(status="failed", at=clock.now(), event_id="e-1", reason="no", result=body)
        assert body.event_type == FAILED
        assert stores.deliberations.record(opened.deliberation_id, end) == end
