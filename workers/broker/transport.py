"""kombu's Redis transport for consumers that outlive their broker; knows kombu and Redis, not Celery.

Stock kombu counts on a living broker when a channel closes, an acknowledgement is due or a message is marked. Each
override names the upstream issue or pull request that would make it unnecessary; docs/broker.md says what was
measured without it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection
from queue import Empty
from time import monotonic, time
from typing import Any

from kombu.transport import redis, virtual
from kombu.utils.json import loads
from redis.exceptions import RedisError

from workers.broker.atomic_pop import AtomicPop
from workers.broker.attempts import count_loss
from workers.broker.pending_acks import PendingAcks
from workers.broker.upstream_members import QoSMembers

logger = logging.getLogger(__name__)

UNREACHABLE = (RedisError, OSError, AttributeError)
"""How an operation on a lost broker ends; AttributeError where kombu has taken the closed channel apart."""


class QoS(redis.QoS, QoSMembers):
    """Acknowledgements that survive the connection they belong to, and a sweep that counts lost workers."""

    channel: Channel
    pending_acks: PendingAcks | None = None
    """Where acks wait that another channel will deliver; without it, failures are raised as in stock kombu."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._last_contact = float("-inf")
        self._sweeps_from = float("-inf")

    def append(self, message: Any, delivery_tag: str) -> None:
        """Mark a message as unacknowledged, unless that was done when it was popped."""
        # Unnecessary with https://github.com/celery/kombu/issues/305.
        if delivery_tag == self.channel.marked_tag:
            virtual.QoS.append(self, message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Remove a message for good, now or, when the broker is away, as soon as it is back."""
        # https://github.com/celery/celery/issues/4671 asks for it, closed without a remedy.
        try:
            super().ack(delivery_tag)
        except UNREACHABLE as error:
            self._ack_later(delivery_tag, error)

    def free_slot(self, delivery_tag: str) -> None:
        """Stop counting a message against the prefetch limit, without a command to the broker; from any thread."""
        self._quick_ack(delivery_tag)

    def restore_visible(self, start: int = 0, num: int | None = None, interval: int = 1) -> None:
        """Requeue the messages that no worker has kept in flight for the visibility timeout."""
        # No upstream issue known for the second look, the grace and the count of lost workers.
        self._vrestore_count += 1
        if (self._vrestore_count - 1) % (interval or 1):
            return
        with self.channel.conn_or_acquire() as client:
            if not self._may_sweep(client):
                return
            deadline = time() - self.visibility_timeout
            mutex = redis.Mutex(client, self.unacked_mutex_key, self.unacked_mutex_expire)
            with contextlib.suppress(redis.MutexHeld), mutex:
                for tag in self._older_than(deadline, client, start, num):
                    self._restore_lost(tag, deadline, client)

    def refresh(self, tags: Collection[str]) -> int:
        """Begin the visibility timeout anew for these messages; return how many of them are no longer marked.

        A message that is not marked any more was requeued by another worker, or removed.
        """
        if not tags:
            return 0
        with self.channel.conn_or_acquire() as client:
            now = time()
            refreshed = client.zadd(self.unacked_index_key, dict.fromkeys(tags, now), xx=True, ch=True)
        return len(tags) - int(refreshed)

    def ack_all(self, tags: Collection[str]) -> None:
        """Remove messages for good, whichever channel received them."""
        if not tags:
            return
        with self.pipe_or_acquire() as pipe:
            pipe.zrem(self.unacked_index_key, *tags)
            pipe.hdel(self.unacked_key, *tags)
            pipe.execute()

    def _may_sweep(self, client: Any) -> bool:
        # After an outage every score is old, those of living workers too: let them refresh theirs first.
        client.ping()
        now = monotonic()
        if now - self._last_contact > max(self.visibility_timeout / 4, 3 * self.channel.unacked_restore_interval):
            self._sweeps_from = now + self.channel.unacked_restore_grace
        self._last_contact = now
        return bool(now >= self._sweeps_from)

    def _ack_later(self, delivery_tag: str, error: BaseException) -> None:
        if self.pending_acks is None:
            raise error
        logger.info("the broker is away, the ack of %s is pending: %r", delivery_tag, error)
        self.pending_acks.add(delivery_tag)
        self.free_slot(delivery_tag)

    def _older_than(self, deadline: float, client: Any, start: int, num: int | None) -> list[str]:
        found = client.zrange(
            self.unacked_index_key, deadline, 0, desc=True, byscore=True, offset=num and start, num=num
        )
        return [tag.decode() if isinstance(tag, bytes) else tag for tag in found]

    def _restore_lost(self, tag: str, deadline: float, client: Any) -> None:
        def transaction(pipe: Any) -> None:
            # kombu's clients put the prefix in front of HGET's key, not of ZSCORE's.
            index_key = f"{self.channel.global_keyprefix}{self.unacked_index_key}"
            score, mark = pipe.zscore(index_key, tag), pipe.hget(self.unacked_key, tag)
            pipe.multi()
            # Stock kombu doesn't look again: a message refreshed since it was listed would be doubled.
            if score is None or score > deadline:
                return
            self._remove_from_indices(tag, pipe)
            if mark:
                payload, exchange, routing_key = loads(mark)
                count_loss(payload)
                self.channel._do_restore_message(payload, exchange, routing_key, pipe)

        client.transaction(transaction, self.unacked_key, self.unacked_index_key)


class Channel(AtomicPop):
    """A channel to one Redis or Valkey server."""

    QoS = QoS
    unacked_restore_grace = 0.0
    """Transport option: seconds for which this channel requeues no lost worker's messages, after it connected or
    was out of touch with the broker."""
    from_transport_options: tuple[str, ...] = (
        *AtomicPop.from_transport_options,
        "unacked_restore_grace",
    )
    _command_client: Any = None
    """The client of single commands, over the pool of the moment."""

    def _create_client(self, asynchronous: bool = False) -> Any:
        # kombu makes a client for every command: a quarter of a millisecond each, a tenth of a worker's time.
        # No upstream issue known.
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._command_client is None or self._command_client.connection_pool is not self.pool:
            self._command_client = super()._create_client()
        return self._command_client

    def close(self) -> None:
        """Close, in whatever state the broker is; a second call does nothing. Raises nothing about the broker."""
        # No upstream issue known.
        try:
            super().close()
        except UNREACHABLE as error:
            logger.warning("broker lost while a channel closed: %r", error)
            self._close_without_broker()

    def _close_without_broker(self) -> None:
        # What remains of close() would talk to the broker: bindings to delete, messages to requeue.
        self.auto_delete_queues.clear()
        self.do_restore = False
        super().close()
        # An attempt to talk to the broker may have opened a new pool.
        self._disconnect_pools()
        if self.connection is not None:
            self.connection.close_channel(self)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        # kombu's clients put the prefix in front of LLEN's key, not of EXISTS's; an empty list does not exist.
        # No upstream issue known.
        return bool(self._size(queue))

    def finish_poll(self) -> None:
        """Wait for the answer to the poll under way, at most a second; the message it brings is delivered."""
        with contextlib.suppress(*UNREACHABLE):
            while self._in_poll:
                with contextlib.suppress(Empty):
                    self._brpop_read()


class SentinelChannel(Channel, redis.SentinelChannel):
    """A channel to the master that Sentinels name."""

    from_transport_options: tuple[str, ...] = (
        *redis.SentinelChannel.from_transport_options,
        "unacked_restore_grace",
    )


class Transport(redis.Transport):
    """redis:// and rediss://."""

    Channel = Channel


class SentinelTransport(redis.SentinelTransport):
    """sentinel://."""

    Channel = SentinelChannel
