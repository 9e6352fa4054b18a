"""Single operations against a real server: what a worker that is lost, or refused, leaves marked and gets back."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.acceptance.broker.desk import PREFIX, desk
from tests.support.servers import ValkeyServer
from workers.broker import LOSSES, qos
from workers.broker.broker_clock import broker_time
from workers.broker.left_messages import LeftMessage
from workers.broker.pending_acks import PendingAcks
from workers.broker.qos import MOST_CRASHES, QoS
from workers.queue_keys import PARKED


def test_message_whose_worker_is_lost_goes_back_with_one_loss_more(valkey_server: ValkeyServer) -> None:
    with desk(valkey_server) as it:
        it.publish()
        for lost in (0, 1, 2):
            losses = it.pop().headers.get(LOSSES, [])
            assert [share for _, share in losses] == [1.0] * lost
            assert all(abs(at - time.time()) < 3600 for at, _ in losses)
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


def test_a_message_that_can_not_be_sent_back_holds_up_no_ack(own_server: ValkeyServer) -> None:
    with desk(own_server, visibility_timeout=1.0) as it:
        it.publish()
        it.publish()
        rejected, done = it.pop(), it.pop()
        it.channel.qos.pending_acks = PendingAcks()
        it.server.config_set("min-replicas-to-write", "1")
        with it.channel.gathering_acks():
            rejected.requeue()
            done.ack()
        assert it.channel.qos.pending_acks.pending() == {done.delivery_tag}


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
        contact = it.channel.qos._contact
        it.sweep()
        contact._trusted_from = 0.0
        monkeypatch.setattr(qos, "broker_time", lambda client: broker_time(client) + 3600)
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
