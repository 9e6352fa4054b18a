"""kombu's Redis transport for consumers that outlive their broker; knows kombu and Redis, not Celery.

Stock kombu counts on a living broker when a channel closes, an acknowledgement is due or a message is marked. Each
override names the upstream issue or pull request that would make it unnecessary; docs/broker.md says what was
measured without it.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, suppress
from queue import Empty
from typing import Any, cast

from kombu.transport import redis
from redis.exceptions import ConnectionError

from workers.broker.atomic_pop import AtomicPop
from workers.broker.qos import UNREACHABLE, QoS

logger = logging.getLogger(__name__)


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


class SentinelTransport(redis.SentinelTransport):
    """sentinel://."""

    Channel = SentinelChannel
