"""Single operations against a real server: what is popped, marked, settled, swept and counted."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import kombu
import pytest
import redis
from celery import Celery
from kombu.utils.json import loads
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import ResponseError

from tests.acceptance.broker.fleet import crash
from tests.support.servers import ValkeyServer
from workers.broker import LOSSES, celery_conf, install, transport
from workers.broker.broker_clock import broker_time
from workers.broker.left_messages import LeftMessage
from workers.broker.pending_acks import PendingAcks
from workers.broker.transport import MOST_CRASHES, QoS, Transport
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.queue_keys import PARKED

PREFIX = "conclave:broker:"
"""As in the product: in front of every key that the transport uses."""


WORKER_ID = "a1"
NONSENSE = (b"\xff", b"[]", b"{}", b'{"properties": {"delivery_tag": 7}}', b"[" * 5000)


class Desk:
    """One channel, one queue and the keys around them, used by no other test."""

    def __init__(self, server: ValkeyServer, **options: Any) -> None:
        self.name = uuid.uuid4().hex
        self.url = server.url
        keys = {f"unacked{part}_key": f"{self.name}.unacked{part}" for part in ("", "_index", "_mutex")}
        prefix = {"global_keyprefix": PREFIX}
        self._prefix = prefix
        defaults = {"visibility_timeout": 0.0, "unacked_mutex_expire": 10, **keys, **prefix}
        self.connection = kombu.Connection(
            server.url, transport=Transport, transport_options={**defaults, **options}
        )
        self.server = redis.Redis.from_url(server.url)
        """Past the transport: keys are named in full."""
        self.queue = kombu.Queue(self.name)

    @property
    def channel(self) -> Any:
        return self.connection.default_channel

    def publish(self, countdown: float | None = None) -> None:
        eta = None if countdown is None else (datetime.now(UTC) + timedelta(seconds=countdown)).isoformat()
        headers = {"id": uuid.uuid4().hex, "eta": eta}
        self.connection.Producer().publish({}, headers=headers, routing_key=self.name, declare=[self.queue])

    def take(self) -> Any:
        return self.queue(self.channel).get(no_ack=False)

    def pop(self) -> Any:
        """Take a message as a worker does, under this worker's name."""
        self.channel.worker_id = WORKER_ID
        seen: list[Any] = []
        with self.consumer(seen):
            while not seen:
                self.connection.drain_events(timeout=10)
        return seen[0]

    def publish_when_awaited(self) -> None:
        """Publish as soon as a consumer waits for it."""
        with kombu.Connection(self.url, transport=Transport, transport_options=self._prefix) as other:
            assert wait_until(lambda: self.server.info("clients")["blocked_clients"] > 0, within=10)
            other.Producer().publish({}, routing_key=self.name, declare=[self.queue])

    def consumer(self, seen: list[Any]) -> kombu.Consumer:
        return kombu.Consumer(self.channel, [self.queue], on_message=seen.append)

    def sweep(self) -> None:
        self.channel.qos.restore_visible(num=None, interval=1)

    def counts(self) -> tuple[int, int]:
        """How many wait, and how many are marked as unacknowledged."""
        marks = int(self.server.zcard(f"{PREFIX}{self.channel.unacked_index_key}"))
        assert self.server.hlen(f"{PREFIX}{self.channel.unacked_key}") == marks
        return int(self.server.llen(f"{PREFIX}{self.name}")), marks


@contextmanager
def desk(server: ValkeyServer, **options: Any) -> Iterator[Desk]:
    opened = Desk(server, **options)
    try:
        yield opened
    finally:
        opened.connection.release()
        opened.server.close()


@pytest.fixture
def own_server(tmp_path: Path, guard: Guard) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        yield server


def test_message_whose_worker_is_lost_goes_back_with_one_loss_more(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        for lost in (0, 1, 2):
            losses = it.pop().headers.get(LOSSES, [])
            assert [share for _, share in losses] == [1.0] * lost
            assert all(abs(at - time.time()) < 60 for at, _ in losses)
            assert it.counts() == (0, 1)
            it.sweep()
            assert it.counts() == (1, 0)


def test_the_loss_of_a_worker_is_shared_by_what_it_had_begun(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        for countdown in (None, None, 600):
            it.publish(countdown)
            it.pop()
        it.sweep()
        shares = sorted([share for _, share in it.pop().headers.get(LOSSES, [])] for _ in range(3))
        assert shares == [[], [0.5], [0.5]], "a task that waits for its time was not running"


def test_what_a_living_worker_left_behind_is_no_lost_worker(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server, visibility_timeout=1.0) as it:
        it.publish()
        it.pop()
        time.sleep(1.1)
        it.channel.qos.refresh(())
        it.sweep()
        assert it.counts() == (1, 0)
        assert LOSSES not in it.pop().headers


@pytest.mark.parametrize("refusal", [("maxmemory", "1"), ("min-replicas-to-write", "1")])
def test_a_broker_that_refuses_to_write_takes_nothing_from_living_workers(
    own_server: ValkeyServer, refusal: tuple[str, str]
) -> None:
    with desk(own_server, visibility_timeout=1.0, unacked_restore_grace=3.0, unacked_restore_interval=60) as it:
        it.publish()
        held = it.pop().delivery_tag
        assert it.channel.qos.refresh([held]) == 0
        it.sweep()
        time.sleep(3.1)
        it.server.config_set(*refusal)
        refused = pytest.raises(ResponseError) if refusal[0] != "maxmemory" else nullcontext()
        with refused:  # for want of memory nothing is refused that takes none
            assert it.channel.qos.refresh([held]) == 0
        it.sweep()
        it.server.config_set(refusal[0], "0")
        it.sweep()
        assert it.counts() == (0, 1), "its worker was refused, and must be let refresh first"
        assert it.channel.qos.refresh([held]) == 0


def test_clocks_of_workers_do_not_matter(own_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk(own_server, visibility_timeout=5.0) as it:
        it.publish()
        monkeypatch.setattr(time, "time", lambda: 1e9)
        it.pop()
        monkeypatch.setattr(time, "time", lambda: 4e9)
        it.sweep()
        assert it.counts() == (0, 1)


def test_a_broker_whose_clock_is_set_takes_nothing_from_living_workers(
    valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk(valkey_server, visibility_timeout=5.0, unacked_restore_grace=60.0) as it:
        it.publish()
        it.pop()
        qos = it.channel.qos
        it.sweep()
        qos._sweeps_from = 0.0
        monkeypatch.setattr(transport, "broker_time", lambda client: broker_time(client) + 3600)
        it.sweep()
        assert it.counts() == (0, 1)


def test_a_message_whose_task_never_comes_to_an_outcome_is_parked_in_the_end(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        for _ in range(MOST_CRASHES):
            it.channel.qos.requeue_crashed(it.pop().delivery_tag)
        assert it.counts() == (0, 0)
        parked = [json.loads(record) for record in it.server.hvals(f"{PREFIX}{PARKED}")]
        assert [one["reason"] for one in parked if one["queue"] == it.name] == [
            f"its task ended {MOST_CRASHES} times without an outcome"
        ]


def test_message_given_back_by_its_holder_is_not_counted_as_lost(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        it.pop().requeue()
        assert LOSSES not in it.pop().headers


def test_message_refreshed_while_it_is_being_swept_is_not_doubled(valkey_server: ValkeyServer) -> None:
    class Refreshing(QoS):
        def _left(self, *args: Any) -> list[LeftMessage]:
            found = super()._left(*args)
            assert found
            assert self.refresh([left.tag for left in found]) == 0
            return found

    with desk(valkey_server) as it:
        it.channel.QoS = Refreshing
        it.publish()
        it.take()
        it.sweep()
        assert it.counts() == (0, 1)


def test_nothing_is_requeued_just_after_connecting(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server, unacked_restore_grace=60.0) as it:
        it.publish()
        it.take()
        it.sweep()
        assert it.counts() == (0, 1)


def test_refreshing_tells_how_many_are_not_held_any_more(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        held = it.take().delivery_tag
        assert it.channel.qos.refresh({held, "gone"}) == 1
        assert it.channel.qos.refresh(set()) == 0


def test_message_acknowledged_over_another_channel_is_gone(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        tag = it.take().delivery_tag
        cast(Any, it.connection.channel()).qos.ack_all({tag})
        assert it.counts() == (0, 0)


def test_acks_of_one_turn_go_out_together_at_its_end(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        it.publish()
        first, second = it.take(), it.take()
        with it.channel.gathering_acks():
            first.ack()
            second.ack()
            assert it.counts() == (0, 2)
        assert it.counts() == (0, 0)
        assert it.channel.qos.can_consume()


def test_acks_of_one_turn_are_pending_where_the_broker_is_away(own_server: ValkeyServer) -> None:
    with desk(own_server) as it:
        it.publish()
        it.publish()
        taken = [it.take(), it.take()]
        pending_acks = it.channel.qos.pending_acks = PendingAcks()
        crash(own_server)
        with it.channel.gathering_acks():
            for message in taken:
                message.ack()
        assert pending_acks.pending() == {message.delivery_tag for message in taken}


def test_an_index_entry_without_its_message_is_cleared_up_by_the_sweep(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        message = it.take()
        it.server.hdel(f"{PREFIX}{it.channel.unacked_key}", message.delivery_tag)  # an ack that broke off there
        it.sweep()
        assert it.counts() == (0, 0)


def test_acknowledging_twice_and_sweeping_twice_changes_nothing(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        message = it.take()
        it.sweep()
        it.sweep()
        assert it.counts() == (1, 0)
        message.ack()
        it.channel.qos.ack(message.delivery_tag)
        assert it.counts() == (1, 0)


def test_message_is_marked_by_the_time_it_is_seen(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        seen: list[Any] = []
        with it.consumer(seen):
            it.connection.drain_events(timeout=5)
            assert it.counts() == (0, 1)
            with it.channel.conn_or_acquire() as client:
                payload, _, queue = loads(client.hget(it.channel.unacked_key, seen[0].delivery_tag))
            assert (payload["headers"]["id"], queue) == (seen[0].headers["id"], it.name)


def test_message_that_was_taken_comes_back_as_it_was_but_for_the_loss(
    valkey_server: ValkeyServer,
) -> None:
    with desk(valkey_server) as it:
        it.publish()
        first = it.pop()
        it.sweep()
        second = it.pop()
        assert second.body == first.body
        (loss,) = second.headers[LOSSES]
        assert second.headers == {**first.headers, LOSSES: [loss], "redelivered": True}


def test_waiting_consumer_is_woken_by_a_message(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        seen: list[Any] = []
        with it.consumer(seen), ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(it.publish_when_awaited)
            while not seen:
                it.connection.drain_events(timeout=5)
            publishing.result()
        assert len(seen) == 1


def test_what_is_no_message_is_put_aside_and_stops_no_consumer(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        for nonsense in NONSENSE:
            it.server.lpush(f"{PREFIX}{it.name}", nonsense)
        it.publish()
        seen: list[Any] = []
        with it.consumer(seen):
            it.connection.drain_events(timeout=5)
        assert len(seen) == 1
        parked = [json.loads(record) for record in it.server.hvals(f"{PREFIX}{PARKED}")]
        ours = [bytes.fromhex(one["message"]) for one in parked if one["queue"] == it.name]
        assert sorted(ours) == sorted(NONSENSE)


def test_empty_queue_leaves_no_notify_key(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server, visibility_timeout=60.0) as it:
        for _ in range(5):
            it.publish()
        seen: list[Any] = []
        bell = f"{PREFIX}{it.name}.bell"
        assert 0 < it.server.ttl(bell) <= 60
        with it.consumer(seen):
            while len(seen) < 5:
                it.connection.drain_events(timeout=5)
            with pytest.raises(TimeoutError):
                it.connection.drain_events(timeout=0.5)
            assert not it.server.exists(bell)


def test_ack_without_a_broker_is_pending_where_a_channel_will_deliver_it_else_raised(
    own_server: ValkeyServer,
) -> None:
    with desk(own_server) as it:
        it.publish()
        message = it.take()
        crash(own_server)
        with pytest.raises(Unreachable):
            it.channel.qos.ack(message.delivery_tag)
        pending_acks = it.channel.qos.pending_acks = PendingAcks()
        message.ack()
        assert pending_acks.pending() == {message.delivery_tag}


def test_channel_closes_without_its_broker_and_leaves_what_it_held_marked(own_server: ValkeyServer) -> None:
    with desk(own_server, visibility_timeout=60.0) as it:
        it.publish()
        message = it.take()
        channel = it.channel
        crash(own_server)
        channel.close()
        channel.close()
        assert channel.connection is None
        channel.qos.restore_unacked_once()
        own_server.start()
        it.connection.release()
        assert it.counts() == (0, 1)
        pending_acks = channel.qos.pending_acks = PendingAcks()
        message.ack()
        assert pending_acks.pending() == {message.delivery_tag}


def test_chord_is_claimed_by_the_count_whose_answer_was_lost_and_by_no_other(valkey_server: ValkeyServer) -> None:
    app = Celery(set_as_current=False)
    app.conf.update(celery_conf(broker_url=f"{valkey_server.url}/0", result_url=f"{valkey_server.url}/1"))
    install(app)
    backend: Any = app.backend
    group = uuid.uuid4().hex
    backend.set_chord_size(group, 1)
    keys = [backend.get_key_for_group(group, suffix) for suffix in (".j", ".t", ".s", ".d", "", ".c")]

    def count(token: str) -> bool:
        args = ["task", "[1]", 1, 0, 60, 60, 6, token]
        return bool(backend._chord_part_return_script(keys=keys, args=args, client=backend.client)[3])

    assert count("first")
    assert count("first"), "asked again, as redis-py does when no answer came"
    assert not count("second")


def test_a_passive_declaration_tells_how_many_messages_wait(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        it.publish()
        assert it.channel.queue_declare(it.name, passive=True).message_count == 2


def test_commands_share_a_client_for_as_long_as_its_connections_last(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as one:
        with one.channel.conn_or_acquire() as first, one.channel.conn_or_acquire() as second:
            assert first is second
        one.channel._disconnect_pools()  # as kombu does when it finds the broker lost
        with one.channel.conn_or_acquire() as third:
            assert third is not first
            assert third.ping()
