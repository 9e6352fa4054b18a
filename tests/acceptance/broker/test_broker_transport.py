"""Single operations against a real server: what is popped, marked, settled, acknowledged and counted."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from celery import Celery
from kombu.utils.json import loads
from redis import Redis
from redis.exceptions import ConnectionError as Unreachable

from tests.acceptance.broker.desk import NONSENSE, PREFIX, desk
from tests.acceptance.broker.fleet import WITHIN, crash
from tests.support.servers import ValkeyServer
from workers.broker import LOSSES, celery_conf, install
from workers.broker.celery_conf import ANSWER_S
from workers.broker.pending_acks import PendingAcks
from workers.queue_keys import PARKED


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
            it.connection.drain_events(timeout=WITHIN)
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
                it.connection.drain_events(timeout=WITHIN)
            publishing.result()
        assert len(seen) == 1


def test_what_is_no_message_is_put_aside_and_stops_no_consumer(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        for nonsense in NONSENSE:
            it.server.lpush(f"{PREFIX}{it.name}", nonsense)
        it.publish()
        seen: list[Any] = []
        with it.consumer(seen):
            it.connection.drain_events(timeout=WITHIN)
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
                it.connection.drain_events(timeout=WITHIN)
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


def test_threads_that_publish_while_the_broker_takes_no_writes_lose_nothing(own_server: ValkeyServer) -> None:
    app = Celery(set_as_current=False)
    prefix = uuid.uuid4().hex
    conf = celery_conf(broker_url=own_server.url, result_url=own_server.url, broker_prefix=prefix)
    app.conf.update(conf)
    install(app)
    task = app.signature("any", queue="any")
    task.apply_async()
    server = Redis.from_url(own_server.url)
    held_ms = round(1000 * (ANSWER_S + 2))  # longer than a command is waited for, so that all come again
    server.client_pause(held_ms, all=False)
    with ThreadPoolExecutor(4) as pool:
        for sending in [pool.submit(task.apply_async) for _ in range(4)]:
            sending.result(WITHIN)
    assert server.llen(f"{prefix}any") >= 5
