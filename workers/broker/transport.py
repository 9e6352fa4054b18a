"""kombu's Redis transport for consumers that outlive their broker; knows kombu and Redis, not Celery.

Stock kombu counts on a living broker when a channel closes, an acknowledgement is due or a message is marked. Each
override names the upstream issue or pull request that would make it unnecessary; docs/broker.md says what was
measured without it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from queue import Empty
from typing import Any, cast

from kombu.transport import redis, virtual
from kombu.utils.json import loads
from redis.exceptions import ConnectionError, RedisError

from workers.broker.atomic_pop import AtomicPop
from workers.broker.attempts import count_crash, count_loss
from workers.broker.broker_clock import broker_time
from workers.broker.contact import Contact
from workers.broker.left_messages import LeftMessage, holder, judge
from workers.broker.parked_messages import parked_record
from workers.broker.pending_acks import PendingAcks
from workers.broker.refresh import REFRESH
from workers.broker.upstream_members import QoSMembers
from workers.queue_keys import PARKED

logger = logging.getLogger(__name__)

UNREACHABLE = (RedisError, OSError, AttributeError)
"""How an operation on a lost broker ends; AttributeError where kombu has taken the closed channel apart."""

MOST_CRASHES = 50
"""An outage of the results would have to last for most of an hour to end a header task so often."""


class QoS(redis.QoS, QoSMembers):
    """Acknowledgements that survive the connection they belong to, and a sweep that counts lost workers."""

    channel: Channel
    pending_acks: PendingAcks | None = None
    """Where acks wait that another channel will deliver; without it, failures are raised as in stock kombu."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gathered: list[str] | None = None
        self._contact = Contact(
            silence_s=max(self.visibility_timeout / 4, 3 * self.channel.unacked_restore_interval),
            drift_s=self.visibility_timeout / 4,
            grace_s=self.channel.unacked_restore_grace,
        )

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
        with nullcontext(self._gathered) if self._gathered is not None else self.gathering() as tags:
            tags.append(delivery_tag)

    @contextmanager
    def gathering(self) -> Iterator[list[str]]:
        """Send the acks of the block, whose tags are in the list, together at its end."""
        tags: list[str] = []
        self._gathered = tags
        try:
            yield tags
        finally:
            self._gathered = None
            try:
                self.ack_all(tags)
            except UNREACHABLE as error:
                for tag in tags:
                    self._ack_later(tag, error)
            for tag in tags:
                self.free_slot(tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Requeue a message or remove it; where the broker is away, the visibility timeout brings it back."""
        # kombu then counts it against the prefetch limit for ever: a worker of one thread takes nothing any more.
        # And a refused write raises, before the acks that are due with it. No upstream issue known.
        try:
            super().reject(delivery_tag, requeue)
        except UNREACHABLE as error:
            if self.pending_acks is None:
                raise
            logger.info("the broker is away, rejected message %s comes back later: %r", delivery_tag, error)
            self.free_slot(delivery_tag)

    def free_slot(self, delivery_tag: str) -> None:
        """Stop counting a message against the prefetch limit, without a command to the broker; from any thread."""
        self._quick_ack(delivery_tag)

    def restore_visible(self, start: int = 0, num: int | None = None, interval: int = 1) -> None:
        """Requeue the messages that no worker has kept in flight for the visibility timeout."""
        # No upstream issue known for the second look, the grace and the count of lost workers.
        if self.channel.takes_replies:
            # A process that only asks may not be allowed to write here.
            return
        self._vrestore_count += 1
        if (self._vrestore_count - 1) % (interval or 1):
            return
        with self.channel.conn_or_acquire() as client:
            now = broker_time(client)
            lasts = self._contact.lasts(client, self.unacked_index_key, now)
            if not lasts or not self._overdue(client, now, start, num):
                return
            mutex = redis.Mutex(client, self.unacked_mutex_key, self.unacked_mutex_expire)
            with suppress(redis.MutexHeld), mutex:
                for left in self._left(client, now, start, num):
                    self._restore(left, client, now)

    def refresh(self, tags: Collection[str]) -> int:
        """Begin the visibility timeout anew for these messages, and say that this worker lives.

        Returns how many of them are no longer marked: requeued by another worker, or removed. Raises ResponseError
        where the broker refuses to write.
        """
        keys = self.channel.prefixed((self.unacked_index_key, self._workers_key))
        with self.channel.conn_or_acquire() as client:
            return len(tags) - int(client.eval(REFRESH, len(keys), *keys, self.channel.worker_id, *tags))

    def requeue_crashed(self, tag: str) -> None:
        """Requeue the message of a task that ended without an outcome, which may be an outage of the results.

        One that does so again and again has something in it that Celery can't use: it is parked.
        """

        def transaction(pipe: Any) -> None:
            mark = pipe.hget(self.unacked_key, tag)
            pipe.multi()
            self._remove_from_indices(tag, pipe)
            if mark:
                payload, exchange, queue = loads(mark)
                if count_crash(payload) < MOST_CRASHES:
                    self.channel._do_restore_message(payload, exchange, queue, pipe)
                else:
                    reason = f"its task ended {MOST_CRASHES} times without an outcome"
                    pipe.hset(PARKED, *parked_record(payload, queue=queue, reason=reason, at=now))

        with self.channel.conn_or_acquire() as client:
            now = broker_time(client)
            client.transaction(transaction, self.unacked_key)

    def ack_all(self, tags: Collection[str]) -> None:
        """Remove messages for good, whichever channel received them."""
        if not tags:
            return
        # No transaction, which would be two more commands: a sweep clears up an index entry without its message.
        with self.channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
            pipe.hdel(self.unacked_key, *tags)
            pipe.zrem(self.unacked_index_key, *tags)
            pipe.execute()

    def _ack_later(self, delivery_tag: str, error: BaseException) -> None:
        if self.pending_acks is None:
            raise error
        logger.info("the broker is away, the ack of %s is pending: %r", delivery_tag, error)
        self.pending_acks.add(delivery_tag)

    def _overdue(self, client: Any, now: float, start: int, num: int | None) -> list[str]:
        deadline = now - self.visibility_timeout
        found = client.zrange(
            self.unacked_index_key, deadline, 0, desc=True, byscore=True, offset=num and start, num=num
        )
        return [tag.decode() if isinstance(tag, bytes) else tag for tag in found]

    def _left(self, client: Any, now: float, start: int, num: int | None) -> list[LeftMessage]:
        tags = self._overdue(client, now, start, num)
        marks = [(tag, client.hget(self.unacked_key, tag)) for tag in tags]
        holders = {holder(mark, now) for _, mark in marks}
        return judge(marks, self._gone(holders, client, now), now)

    def _gone(self, workers: set[str], client: Any, now: float) -> set[str]:
        """Return those of these workers that have not refreshed anything for the visibility timeout."""
        # kombu's clients put the prefix in front of HGET's key, not of ZSCORE's.
        (key,) = self.channel.prefixed([self._workers_key])
        heard = {worker: client.zscore(key, worker) for worker in workers if worker}
        return {worker for worker, at in heard.items() if at is None or at < now - self.visibility_timeout}

    def _restore(self, left: LeftMessage, client: Any, now: float) -> None:
        def transaction(pipe: Any) -> None:
            (index_key,) = self.channel.prefixed([self.unacked_index_key])
            score, mark = pipe.zscore(index_key, left.tag), pipe.hget(self.unacked_key, left.tag)
            pipe.multi()
            # Stock kombu doesn't look again: a message refreshed since it was listed would be doubled.
            if score is None or score > now - self.visibility_timeout:
                return
            self._remove_from_indices(left.tag, pipe)
            if mark:
                payload, exchange, routing_key = loads(mark)
                if left.share:
                    count_loss(payload, at=now, share=left.share)
                self.channel._do_restore_message(payload, exchange, routing_key, pipe)

        client.transaction(transaction, self.unacked_key, self.unacked_index_key)

    @property
    def _workers_key(self) -> str:
        """Sorted set: worker processes by when they refreshed their messages last."""
        return f"{self.unacked_key}_workers"


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
        if self.connection is None:
            # While a broker is away, kombu closes channels over which other threads publish; it opens another one
            # only after what it knows as a connection's error. No upstream issue known.
            raise ConnectionError("the channel is closed")
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

    def _queue_bind(self, exchange: str, routing_key: str, pattern: Any, queue: str) -> None:
        # A broadcast goes to those that have subscribed. No process reads the table of its exchange, which kombu
        # keeps in the broker, and a login that only listens may not write it. No upstream issue known.
        if self.typeof(exchange).type == "fanout":
            self._fanout_queues[queue] = (exchange, routing_key.replace("#", "*"))
        else:
            super()._queue_bind(exchange, routing_key, pattern, queue)

    def _delete(self, queue: str, exchange: str, *args: Any, **kwargs: Any) -> None:
        if self.typeof(exchange).type == "fanout":
            self.auto_delete_queues.discard(queue)
        else:
            super()._delete(queue, exchange, *args, **kwargs)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        # kombu's clients put the prefix in front of LLEN's key, not of EXISTS's; an empty list does not exist.
        # No upstream issue known.
        return bool(self._size(queue))

    def gathering_acks(self) -> AbstractContextManager[object]:
        """Send the acks of the block together at its end."""
        return cast(QoS, self.qos).gathering()

    def finish_poll(self) -> None:
        """Wait for the answer to the poll under way, at most a second; the message it brings is delivered."""
        with suppress(*UNREACHABLE):
            while self._in_poll:
                with suppress(Empty):
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
    recoverable_connection_errors = (*redis.Transport.connection_errors, *redis.Transport.channel_errors)
    """What a publisher tries again for as long as its policy says. For a transport that doesn't name them, kombu
    takes the same and gives up at the second, once it has connected anew. No upstream issue known."""


class SentinelTransport(redis.SentinelTransport):
    """sentinel://."""

    Channel = SentinelChannel
    recoverable_connection_errors = Transport.recoverable_connection_errors
