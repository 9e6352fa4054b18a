"""Taking messages so that none is ever only in a socket: popped and marked as unacknowledged in one step.

kombu pops a message with BRPOP and marks it with a second command. A worker or a server that is killed in between
takes the message along (https://github.com/celery/kombu/issues/305), and so does a worker that hangs while its pop
is answered. Here a script pops and marks; what is waited for, when there is nothing to take, is a bell beside the
queue that says no more than "look again". A lost bell costs a second, a lost message cannot happen.
"""

from __future__ import annotations

from collections.abc import Iterable
from queue import Empty
from time import monotonic, time
from typing import Any

from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

TAKE = """
for i = 1, #ARGV - 1 do
    local raw = redis.call('RPOP', KEYS[i + 2])
    while raw do
        local fine, tag = pcall(function() return cjson.decode(raw).properties.delivery_tag end)
        if fine and type(tag) == 'string' then
            redis.call('ZADD', KEYS[1], ARGV[1], tag)
            redis.call('HSET', KEYS[2], tag, '[' .. raw .. ',"",' .. cjson.encode(ARGV[i + 1]) .. ']')
            return {ARGV[i + 1], raw}
        end
        redis.call('LPUSH', KEYS[i + 2] .. '.unreadable', raw)
        raw = redis.call('RPOP', KEYS[i + 2])
    end
end
for i = #ARGV + 2, #KEYS do
    redis.call('DEL', KEYS[i])
end
return false
"""
"""KEYS: index and hash of unacknowledged messages, lists to take from, their bells. ARGV: the time, and the queue
of each list. Returns queue and message, or nothing; then the bells are silenced, since nothing is there. What is
no message at all is put aside in a list of its own."""

BELL = ".bell"
BELL_LASTS_S = 60
"""Seconds after which the bells of a queue that nobody consumes in this way are gone."""


class AtomicPop:
    """Mixed into a channel of kombu's Redis transport.

    Queues consumed without acknowledgements (answers to `celery inspect`) are popped as ever.
    """

    taken: str | None = None
    """Delivery tag of the message being delivered, if it is marked already."""
    _waits_for_bell = False

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self._unmarked: set[str] = set()
        super().__init__(*args, **kwargs)

    def basic_consume(self: Any, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> Any:
        """Consume from a queue."""
        if no_ack:
            self._unmarked.add(queue)
        return super().basic_consume(queue, no_ack, *args, **kwargs)  # type: ignore[misc]

    def _put(self: Any, queue: str, message: Any, **kwargs: Any) -> None:
        batch = kwargs.get("_publish_batch")
        if batch is None and queue not in self._expires:
            with self.conn_or_acquire() as client, client.pipeline() as pipe:
                pipe.lpush(
                    self._q_for_pri(queue, self._get_message_priority(message, reverse=False)), dumps(message)
                )
                self._ring(queue, pipe)
                pipe.execute()
            return
        super()._put(queue, message, **kwargs)  # type: ignore[misc]
        if batch is not None:
            for name, *arguments in self._ringing(queue):
                batch.add(name, *arguments)

    def _do_restore_message(
        self: Any, payload: Any, exchange: str, routing_key: str, pipe: Any, *rest: Any
    ) -> None:
        super()._do_restore_message(payload, exchange, routing_key, pipe, *rest)  # type: ignore[misc]
        for queue in self._lookup(exchange, routing_key):
            self._ring(queue, pipe)

    def _ring(self, queue: str, pipe: Any) -> None:
        for name, *arguments in self._ringing(queue):
            getattr(pipe, name)(*arguments)

    def _ringing(self, queue: str) -> list[tuple[Any, ...]]:
        bell = _bell(queue)
        # kombu's clients put the prefix in front of PEXPIRE's key, not of EXPIRE's.
        return [("lpush", bell, ""), ("pexpire", bell, BELL_LASTS_S * 1000)]

    def _brpop_start(self: Any, timeout: float | None = None) -> None:
        if self._unmarked.intersection(self.active_queues):
            super()._brpop_start(timeout)  # type: ignore[misc]
            return
        queues = self._queue_cycle.consume(len(self.active_queues))
        lists = [(self._q_for_pri(queue, step), queue) for step in self.priority_steps for queue in queues]
        if not lists:
            return
        self._waits_for_bell = False
        keys = [self.unacked_index_key, self.unacked_key, *(key for key, _ in lists), *map(_bell, queues)]
        self._ask("EVAL", TAKE, len(keys), *self._prefixed(keys), repr(time()), *(queue for _, queue in lists))

    def _brpop_read(self: Any, **options: Any) -> bool:
        if self._unmarked.intersection(self.active_queues):
            return bool(super()._brpop_read(**options))  # type: ignore[misc]
        try:
            answer = self.client.parse_response(self.client.connection, "EVAL", **options)
        except self.connection_errors:
            self._in_poll, self._waits_for_bell = None, False
            self.client.connection.disconnect()
            raise
        return bool(self._on_bell(answer) if self._waits_for_bell else self._on_taken(answer))

    def _on_taken(self: Any, answer: list[bytes] | None) -> bool:
        if answer is None and self.active_queues and not self._closing:
            self._ask("BRPOP", *self._prefixed(map(_bell, self.active_queues)), self.brpop_timeout)
            self._waits_for_bell = True
            raise Empty
        self._in_poll = None
        if answer is None:
            raise Empty
        queue, message = bytes_to_str(answer[0]), loads(bytes_to_str(answer[1]))
        self._queue_cycle.rotate(queue)
        self.taken = message["properties"]["delivery_tag"]
        try:
            self.connection._deliver(message, queue)
        finally:
            self.taken = None
        return True

    def _on_bell(self: Any, answer: Any) -> bool:
        self._in_poll, self._waits_for_bell = None, False
        if answer and not self.active_queues:
            # Consumption was cancelled meanwhile: let somebody else look.
            with self.conn_or_acquire() as client:
                queue = bytes_to_str(answer[0]).removeprefix(self.global_keyprefix).removesuffix(BELL)
                self._ring(queue, client)
        raise Empty

    def _prefixed(self: Any, keys: Iterable[str]) -> list[str]:
        # Commands sent past the client go out as they are.
        return [f"{self.global_keyprefix}{key}" for key in keys]

    def _ask(self: Any, *command: Any) -> None:
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        self._in_poll.send_command(*command)


def _bell(queue: str) -> str:
    return f"{queue}{BELL}"
