"""kombu's Redis transport for consumers that outlive their broker; knows kombu and Redis, not Celery.

Stock kombu counts on a living broker when a channel closes, an acknowledgement is due or a message is marked.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection
from queue import Empty
from time import monotonic, time
from typing import Any, ClassVar, cast

from kombu.transport import redis, virtual
from kombu.utils.json import loads
from redis.exceptions import RedisError

from workers.broker.atomic_pop import AtomicPop
from workers.broker.attempts import count_loss
from workers.broker.pending_acks import PendingAcks

logger = logging.getLogger(__name__)

# The stubs leave out what is extended here.
_QoS: Any = redis.QoS
_Channel: Any = redis.Channel
_SentinelChannel: Any = redis.SentinelChannel

UNREACHABLE = (RedisError, OSError, AttributeError)
"""How an operation on a lost broker ends; AttributeError where kombu has taken the closed channel apart."""


class QoS(_QoS):  # type: ignore[misc]
    """Acknowledgements that survive the connection they belong to, and a sweep that counts what it finds."""

    arrears: PendingAcks | None = None
    """Where debts are kept for whoever pays them on another channel; without it, failures are raised as ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_touch: float = float("-inf")
        self._sweeps_from = float("-inf")

    def append(self, message: Any, delivery_tag: str) -> None:
        """Mark a message as unacknowledged, unless that was done when it was taken."""
        if delivery_tag == self.channel.taken:
            virtual.QoS.append(cast(virtual.QoS, self), message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Remove a message for good, now or, when the broker is away, as soon as it is back."""
        try:
            super().ack(delivery_tag)
        except UNREACHABLE as error:
            self._owe(delivery_tag, error)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Remove a message, or give it back; with the broker away it comes back by the visibility timeout."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except UNREACHABLE as error:
            if not requeue:
                self._owe(delivery_tag, error)
            elif self.arrears is None:
                raise
            self.forget(delivery_tag)

    def forget(self, delivery_tag: str) -> None:
        """Stop counting a message against the prefetch limit, without a word to the broker; from any thread."""
        self._quick_ack(delivery_tag)

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """Give unacknowledged messages back at a shutdown; on a channel already taken apart, leave them marked."""
        if self.channel.connection is None:
            self._on_collect.cancel()
            return
        super().restore_unacked_once(stderr)

    def restore_visible(self, start: int = 0, num: int | None = None, interval: int = 1) -> None:
        """Give back to their queues what no worker has kept alive for the visibility timeout."""
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

        A message that is not marked any more was given to somebody else, or removed.
        """
        if not tags:
            return 0
        with self.channel.conn_or_acquire() as client:
            now = time()
            refreshed = client.zadd(self.unacked_index_key, dict.fromkeys(tags, now), xx=True, ch=True)
        return len(tags) - int(refreshed)

    def settle(self, tags: Collection[str]) -> None:
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
        if now - self._in_touch > max(self.visibility_timeout / 4, 3 * self.channel.unacked_restore_interval):
            self._sweeps_from = now + self.channel.unacked_restore_grace
        self._in_touch = now
        return bool(now >= self._sweeps_from)

    def _owe(self, delivery_tag: str, error: BaseException) -> None:
        if self.arrears is None:
            raise error
        logger.info("acknowledgement of %s is owed to the broker: %r", delivery_tag, error)
        self.arrears.owe(delivery_tag)
        self.forget(delivery_tag)

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


class Surviving:
    """What both kinds of channels share."""

    QoS = QoS
    unacked_restore_grace = 0.0
    """Transport option: seconds in which this channel gives back nobody's messages, after it connected or lost
    touch with the broker."""
    _commanding: Any = None
    """The client of single commands, over the pool of the moment."""

    def _create_client(self: Any, asynchronous: bool = False) -> Any:
        # kombu makes a client for every command: a quarter of a millisecond each, a tenth of a worker's time.
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # a mixin
        if self._commanding is None or self._commanding.connection_pool is not self.pool:
            self._commanding = super()._create_client()  # type: ignore[misc]
        return self._commanding

    def close(self: Any) -> None:
        """Close, in whatever state the broker is; a second call does nothing. Raises nothing about the broker."""
        try:
            super().close()  # type: ignore[misc]  # a mixin
        except UNREACHABLE as error:
            logger.warning("broker lost while a channel closed: %r", error)
            self._let_go()

    def _let_go(self: Any) -> None:
        # What remains of close() would talk to the broker: bindings to delete, messages to give back.
        self.auto_delete_queues.clear()
        self.do_restore = False
        super().close()  # type: ignore[misc]  # a mixin
        # An attempt to talk to the broker may have opened a new pool.
        self._disconnect_pools()
        if self.connection is not None:
            self.connection.close_channel(self)

    def _has_queue(self: Any, queue: str, **_: Any) -> bool:
        # kombu's clients put the prefix in front of LLEN's key, not of EXISTS's; what is empty exists for neither.
        return bool(self._size(queue))

    def end_poll(self: Any) -> None:
        """Wait for the answer to the poll under way, at most a second; what it brings is delivered."""
        with contextlib.suppress(*UNREACHABLE):
            while self._in_poll:
                with contextlib.suppress(Empty):
                    self._brpop_read()


class Channel(Surviving, AtomicPop, _Channel):  # type: ignore[misc]
    """A channel to one Redis or Valkey server."""

    from_transport_options: ClassVar[tuple[str, ...]] = (
        *_Channel.from_transport_options,
        "unacked_restore_grace",
    )


class SentinelChannel(Surviving, AtomicPop, _SentinelChannel):  # type: ignore[misc]
    """A channel to the master that Sentinels name."""

    from_transport_options: ClassVar[tuple[str, ...]] = (
        *_SentinelChannel.from_transport_options,
        "unacked_restore_grace",
    )


class Transport(redis.Transport):
    """redis:// and rediss://."""

    Channel = Channel


class SentinelTransport(redis.SentinelTransport):
    """sentinel://."""

    Channel = SentinelChannel
