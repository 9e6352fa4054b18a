"""Celery's consumer for a broker that goes away and comes back while tasks run."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from time import monotonic
from typing import Any

import kombu
import vine
from celery import bootsteps
from celery.worker import consumer, state

from workers.broker.sent_events import SentEvents
from workers.broker.task_message import fault_of
from workers.broker.transport import Channel
from workers.broker.upstream_members import ConsumerMembers

logger = logging.getLogger(__name__)

MALFORMED = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""How Celery fails on a message that is not what it takes for granted."""

RECONNECT: dict[str, Any] = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}
"""Seconds between attempts to reach the broker again; Celery's own grow to 30, in which nothing is consumed."""

EVENTS_WAIT_S = 0.2
"""For more events of tasks to be sent with the first: each alone took a tenth of a worker's processor time."""
EVENTS_TOGETHER = 200
"""Celery sends 24 at once, at the latest: in the thread of a task, while other tasks wait."""


class WorkerConsumer(consumer.Consumer, ConsumerMembers):
    """Keeps what is in flight over a lost connection, and acks without the event loop where that stands still.

    Each override names the upstream issue or pull request that would make it unnecessary.
    """

    event_dispatcher: Any
    """Sends the events of the worker and its tasks; set by a step of Celery's, None while it has no connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Who may send an event could have workers elect one of them to run a task, and a worker that starts would
        # wait a second to be told what was revoked: in our workers nothing is.
        super().__init__(*args, **kwargs, without_gossip=True, without_mingle=True)
        self._due_acks: deque[Callable[[], Any]] = deque()
        self._acknowledge = vine.promise(self._ack_together)
        self._flush_later = vine.promise(self._schedule_flush)
        self._flush_at = 0.0
        sender: Any = self.app.amqp
        sender._event_dispatcher = SentEvents(lambda: self.event_dispatcher, sender._event_dispatcher)

    def ensure_connected(self, conn: kombu.Connection) -> kombu.Connection:
        """Connect, however long the broker is away, trying about once a second."""
        # No upstream issue known: Celery calls ensure_connection without intervals, and no setting names them.
        connect = partial(conn.ensure_connection, **RECONNECT)
        conn.ensure_connection = connect  # type: ignore[method-assign]
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Leave the messages of running tasks marked as they are: those tasks go on here.

        Requeueing them, as a closing channel does, runs them twice: https://github.com/celery/celery/issues/4671.
        """
        for channel in self._channels():
            channel.do_restore = False
        super().on_connection_error_after_connected(exc)

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Acknowledge or reject in the event loop while it turns, together with what else is due, else at once.

        It doesn't turn while the broker is away, nor while a pool finishes its tasks at a shutdown; an ack that
        waited for it then would be lost if the process were killed, and its task run again. Unnecessary with
        https://github.com/celery/celery/issues/3802.
        """
        turning = self.connection is not None and self.blueprint.state == bootsteps.RUN  # type: ignore[attr-defined]  # not in the stubs
        if turning and self.hub:
            self._due_acks.append(partial(p, *args, **kwargs))
            return self.hub.call_soon(self._acknowledge)
        return p(*args, **kwargs)

    def _ack_together(self) -> None:
        with ExitStack() as gathering:
            for channel in self._channels():
                gathering.enter_context(channel.gathering_acks())
            while self._due_acks:
                self._due_acks.popleft()()

    def on_send_event_buffered(self) -> None:  # type: ignore[override]  # the stubs have it return a function
        """Send events of tasks a moment later, together with those that come meanwhile.

        Celery sends them at the next turn of the event loop. No upstream issue known.
        """
        self.event_dispatcher.buffer_limit = EVENTS_TOGETHER
        if self.hub and monotonic() > self._flush_at:
            # A flush that a lost connection took along is overdue soon, and planned anew.
            self._flush_at = monotonic() + 2 * EVENTS_WAIT_S
            self.hub.call_soon(self._flush_later)

    def _schedule_flush(self) -> None:
        self.hub.call_later(EVENTS_WAIT_S, self._flush)

    def _flush(self) -> None:
        self._flush_at = 0.0
        self._flush_events()

    def create_task_handler(self, promise: type[vine.promise] = vine.promise) -> Callable[[Any], Any]:
        """Take in what our tasks can be run by, and park everything else: no message may end the worker.

        Celery unpacks a message's body in its event loop without a look at it, and forgets what it can't use
        otherwise. No upstream issue known.
        """
        take_in = super().create_task_handler(promise)

        def on_task_received(message: Any) -> None:
            if fault := fault_of(message, self.app.tasks):
                self._park(message, fault)
                return
            try:
                take_in(message)
            except MALFORMED as error:
                if not _forget(message):
                    raise
                self._park(message, f"it can't be taken in: {error!r}")

        return on_task_received

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Park a message that could not be unpacked; drop a broadcast, which was of the moment."""
        if message.channel is self.task_consumer.channel:  # type: ignore[attr-defined]  # set by a step of Celery's
            self._park(message, f"it can't be unpacked: {exc!r}")
        else:
            logger.warning("broadcast dropped, since it can't be unpacked: %r", exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Park a message of which Celery itself finds a header that can't be used."""
        self._park(message, str(exc))

    def _park(self, message: Any, reason: str) -> None:
        message.channel.park(message.in_queue, reason)
        message.channel.qos.free_slot(message.delivery_tag)

    def stop(self) -> None:
        """Stop consuming; send the acks that wait for the event loop, and deliver what the poll under way brings.

        The pool may have minutes to finish, and the event loop won't turn again before. A message that was popped
        at this very moment would wait as long. Unnecessary with https://github.com/celery/celery/issues/4354 and
        https://github.com/celery/celery/issues/3802.
        """
        self._flush()
        super().stop()
        self._run_ready_callbacks()
        for channel in self._channels():
            channel.finish_poll()

    def _run_ready_callbacks(self) -> None:
        for callback in self.hub._pop_ready() if self.hub else ():
            try:
                callback()
            except Exception:
                logger.exception("left over from the event loop: %r", callback)

    def _channels(self) -> list[Channel]:
        # `connection.transport` would connect anew; this looks at what there is.
        transport = getattr(self.connection, "_transport", None)
        return [channel for channel in getattr(transport, "channels", ()) if channel is not None]


def _forget(message: Any) -> bool:
    """Take back the request that Celery has made of a message; False where its task runs already."""
    if any(request.message is message for request in state.active_requests):
        return False
    for request in [one for one in state.reserved_requests if one.message is message]:
        state.task_ready(request)
    return True
