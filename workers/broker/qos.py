"""Acknowledgements over kombu's Redis transport that outlive their connection, and the sweep for lost workers.

Each override names the upstream issue or pull request that would make it unnecessary.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from kombu.transport import redis, virtual
from kombu.utils.json import loads
from redis.exceptions import RedisError

from workers.broker.attempts import count_crash, count_loss
from workers.broker.broker_clock import broker_time
from workers.broker.contact import Contact
from workers.broker.left_messages import LeftMessage, holder, judge
from workers.broker.parked_messages import parked_record
from workers.broker.pending_acks import PendingAcks
from workers.broker.refresh import REFRESH
from workers.broker.upstream_members import QoSMembers
from workers.queue_keys import PARKED

if TYPE_CHECKING:
    from workers.broker.transport import Channel

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
