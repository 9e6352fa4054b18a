"""Consuming messages so that none is ever only in a socket: popped and marked as unacknowledged in one step.

kombu pops a message with BRPOP and marks it with a second command. A worker or a server that is killed in between
takes the message along, and so does a worker that hangs while its pop is answered. Here a script pops and marks;
when a queue is empty, the consumer blocks on a notify key beside it, a list whose elements say no more than "look
again". A lost notification costs a second, a lost message cannot happen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from queue import Empty
from time import monotonic
from typing import Any

from kombu.transport import redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

from workers.broker.broker_clock import NOW, broker_time
from workers.broker.parked_messages import (
    MOST_PARKED,
    PARK,
    PARK_UNREADABLE,
    MalformedMessage,
    Message,
    parked_record,
)
from workers.broker.publish_batch import MergedCommands
from workers.broker.upstream_members import ChannelMembers
from workers.queue_keys import NOTIFY_LASTS_S, NOTIFY_SUFFIX, PARKED, REPLIES_LAST_S, REPLY_SUFFIX

logger = logging.getLogger(__name__)

POP_AND_MARK = (
    PARK_UNREADABLE
    + """
local queues, lists = {}, {unpack(KEYS, 4, #ARGV + 2)}
for i, list in ipairs(lists) do queues[list] = ARGV[i + 1] end
lists[#lists + 1] = 'RIGHT'
local popped = redis.call('LMPOP', #lists - 1, unpack(lists))
if not popped then
    redis.call('DEL', unpack(KEYS, #ARGV + 3))
    return false
end
"""
    + NOW
    + """
while popped do
    local queue, raw = queues[popped[1]], popped[2][1]
    local ok, tag = pcall(function() return cjson.decode(raw).properties.delivery_tag end)
    if ok and type(tag) == 'string' then
        local marked = raw
        if ARGV[1] ~= '' then
            marked = string.gsub(raw, '}%s*$', ',"worker":"' .. ARGV[1] .. '"}')
        end
        redis.call('ZADD', KEYS[1], now, tag)
        redis.call('HSET', KEYS[2], tag, '[' .. marked .. ',"",' .. cjson.encode(queue) .. ']')
        return {queue, raw}
    end
    park(KEYS[3], raw, queue, now)
    popped = redis.call('LMPOP', #lists - 1, unpack(lists))
end
redis.call('DEL', unpack(KEYS, #ARGV + 3))
return false
"""
)
"""KEYS: index and hash of unacknowledged messages, hash of what is parked, lists to pop from, their notify keys.
ARGV: the worker's id, and the queue of each list. Returns queue and message, or nothing; then the notify keys are
deleted, since the lists are empty. The marked message ends with the worker's id under WORKER. What is no message
is parked."""

WORKER = "worker"
"""Key of a marked message: which worker process holds it. Written over at every pop."""


class AtomicPop(redis.Channel, ChannelMembers):
    """A channel of kombu's Redis transport that pops and marks in one step.

    Queues consumed without acknowledgements (answers to `celery inspect`) are popped as in stock kombu.
    """

    Message = Message
    marked_tag: str | None = None
    """Delivery tag of the message being delivered, if it is marked already."""
    delivered_from = ""
    """Queue of the message that was delivered last."""
    worker_id = ""
    """Hexadecimal; names the worker process in the messages that it marks. Empty while it keeps no heartbeat."""
    _awaits_notification = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._no_ack_queues: set[str] = set()
        super().__init__(*args, **kwargs)

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> Any:
        """Consume from a queue."""
        # Unnecessary with https://github.com/celery/kombu/issues/305, as all of this class.
        if no_ack:
            self._no_ack_queues.add(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        batch = kwargs.get("_publish_batch")
        if batch is None and queue not in self._expires:
            key = self._q_for_pri(queue, self._get_message_priority(message, reverse=False))
            # No transaction, which would be two more commands: a message without its notification waits a second.
            with self.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
                pipe.lpush(key, dumps(message))
                if queue.endswith(REPLY_SUFFIX):
                    # The process that asked may be gone, or was never there.
                    pipe.pexpire(key, REPLIES_LAST_S * 1000)
                else:
                    self._notify(queue, pipe)
                pipe.execute()
            return
        super()._put(queue, message, **kwargs)
        if batch is not None:
            for name, *arguments in self._notify_commands(queue):
                batch.add(name, *arguments)

    def create_publish_batch(self, max_size: int) -> Any:
        """Begin a batch of messages, which goes out in one round trip and with few commands."""
        # No upstream issue known: kombu's sends a command for every message.
        batch = super().create_publish_batch(max_size)
        batch.pipeline = MergedCommands(batch.pipeline)
        return batch

    def _notify(self, queue: str, pipe: Any) -> None:
        for name, *arguments in self._notify_commands(queue):
            getattr(pipe, name)(*arguments)

    def _notify_commands(self, queue: str) -> list[tuple[Any, ...]]:
        key = _notify_key(queue)
        # kombu's clients put the prefix in front of PEXPIRE's key, not of EXPIRE's.
        return [("lpush", key, ""), ("pexpire", key, NOTIFY_LASTS_S * 1000)]

    @property
    def takes_replies(self) -> bool:
        """Whether what is consumed here needs no acknowledgement: answers of workers, not tasks."""
        return bool(self._no_ack_queues.intersection(self.active_queues))

    def _brpop_start(self, timeout: float | None = None) -> None:
        if self.takes_replies:
            super()._brpop_start(timeout)
            return
        queues = self._queue_cycle.consume(len(self.active_queues))
        lists = [(self._q_for_pri(queue, step), queue) for step in self.priority_steps for queue in queues]
        if not lists:
            return
        self._awaits_notification = False
        marks = (self.unacked_index_key, self.unacked_key, PARKED)
        keys = [*marks, *(key for key, _ in lists), *map(_notify_key, queues)]
        arguments = (self.worker_id, *(queue for _, queue in lists))
        self._send("EVAL", POP_AND_MARK, len(keys), *self.prefixed(keys), *arguments)

    def _brpop_read(self, **options: Any) -> bool:
        if self.takes_replies:
            return bool(super()._brpop_read(**options))
        try:
            answer = self.client.parse_response(self.client.connection, "EVAL", **options)
        except self.connection_errors:
            self._in_poll, self._awaits_notification = None, False
            self.client.connection.disconnect()
            raise
        return self._on_notified(answer) if self._awaits_notification else self._on_popped(answer)

    def _on_popped(self, answer: list[bytes] | None) -> bool:
        if answer is None and self.active_queues and not self._closing:
            self._send("BRPOP", *self.prefixed(map(_notify_key, self.active_queues)), self.brpop_timeout)
            self._awaits_notification = True
            raise Empty
        self._in_poll = None
        if answer is None:
            raise Empty
        queue, message = bytes_to_str(answer[0]), loads(bytes_to_str(answer[1]))
        self._queue_cycle.rotate(queue)
        self.marked_tag, self.delivered_from = message["properties"]["delivery_tag"], queue
        try:
            self.connection._deliver(message, queue)
        except MalformedMessage as error:
            self.park(message, str(error))
        finally:
            self.marked_tag = None
        return True

    def _deliver_fanout_message(self, message: Any, exchange: str) -> bool | None:
        # A broadcast (a control command, a worker's heartbeat) that can't be read would end all workers at once.
        # It was of the moment, so there is nothing to keep. No upstream issue known.
        try:
            return super()._deliver_fanout_message(message, exchange)
        except self.connection_errors:
            raise
        except Exception as error:  # whatever its body, compression or headers make of a decoder
            logger.warning("broadcast on %s dropped, since it can't be read: %r", exchange, error)
            return None

    def park(self, payload: Any, reason: str) -> None:
        """Take a message that is being delivered out of the way, whole and with the reason, in one step."""
        tag, queue = payload["properties"]["delivery_tag"], self.delivered_from
        keys = self.prefixed((self.unacked_index_key, self.unacked_key, PARKED))
        with self.conn_or_acquire() as client:
            parked_id, record = parked_record(payload, queue=queue, reason=reason, at=broker_time(client))
            kept = client.eval(PARK, len(keys), *keys, tag, parked_id, record, MOST_PARKED)
        logger.error("message of queue %s %s: %s", queue, f"parked as {parked_id}" if kept else "dropped", reason)

    def _on_notified(self, answer: Any) -> bool:
        self._in_poll, self._awaits_notification = None, False
        if answer and not self.active_queues:
            # This channel was cancelled meanwhile: pass the notification on to another consumer.
            with self.conn_or_acquire() as client:
                queue = bytes_to_str(answer[0]).removeprefix(self.global_keyprefix).removesuffix(NOTIFY_SUFFIX)
                self._notify(queue, client)
        raise Empty

    def prefixed(self, keys: Iterable[str]) -> list[str]:
        """Return keys as commands that are sent past kombu's client, or by `EVAL`, must name them."""
        return [f"{self.global_keyprefix}{key}" for key in keys]

    def _send(self, *command: Any) -> None:
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        self._in_poll.send_command(*command)


def _notify_key(queue: str) -> str:
    return f"{queue}{NOTIFY_SUFFIX}"
