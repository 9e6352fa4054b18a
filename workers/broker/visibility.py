"""The heartbeat that keeps messages of running tasks from being given to others, however long the tasks run.

kombu counts the visibility timeout from delivery (https://github.com/celery/celery/issues/5935), so that it must
be longer than the longest task, and a killed worker's tasks wait as long. With a heartbeat it can be seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, cast

import kombu
from celery import bootsteps
from celery.concurrency.thread import TaskPool as ThreadPool

from workers.broker.in_flight import InFlight
from workers.broker.pending_acks import PendingAcks
from workers.broker.transport import Channel, QoS

logger = logging.getLogger(__name__)

BEATS_PER_TIMEOUT = 4
"""Three beats may fail before a message is taken from a living worker."""
RETRY_S = 0.5
"""Seconds between attempts to reach a broker that is away."""
LAST_WORD_S = 5.0
"""Seconds a stopping worker gives a broker that is away before it leaves debts unpaid."""


class VisibilityHeartbeat(threading.Thread):
    """Refreshes live messages and pays what is owed to the broker, on a connection and a thread of its own.

    Neither a consumer that reconnects nor a pool that finishes its tasks at a shutdown makes it pause. Without a
    broker it tries on for ever.
    """

    def __init__(
        self, connect: Callable[[], kombu.Connection], *, holdings: InFlight, arrears: PendingAcks, every_s: float
    ) -> None:
        super().__init__(name="visibility", daemon=True)
        self._connect = connect
        self._holdings = holdings
        self._arrears = arrears
        self._every_s = every_s
        self._ending = threading.Event()
        self._away = False

    def run(self) -> None:
        while not self._serve() and (self._arrears or not self._ending.is_set()):
            sleep(RETRY_S)

    def end(self, within_s: float = LAST_WORD_S) -> None:
        """Stop, after paying what is owed if the broker answers within `within_s`."""
        self._ending.set()
        self._arrears.incurred.set()
        self.join(within_s)
        if unpaid := self._arrears.owed():
            logger.error("broker away: %d finished tasks will run again: %s", len(unpaid), sorted(unpaid))

    def _serve(self) -> bool:
        """Beat until the end, or until the broker is lost: then return False."""
        try:
            with self._connect() as connection:
                connection.ensure_connection(max_retries=0)
                if self._away:
                    logger.info("visibility heartbeat goes on")
                self._away = False
                self._beat_on(cast(Channel, connection.default_channel).qos)
        except Exception as error:  # a heartbeat that ends lets live messages go
            if not self._away:
                logger.warning("visibility heartbeat can't reach the broker: %r", error)
            self._away = True
        return not self._away

    def _beat_on(self, qos: QoS) -> None:
        due = monotonic()
        while not self._ending.is_set():
            self._pay(qos)
            if monotonic() >= due:
                self._beat(qos)
                due = monotonic() + self._every_s
            self._arrears.incurred.wait(max(0.0, due - monotonic()))
        self._pay(qos)

    def _pay(self, qos: QoS) -> None:
        with self._arrears.paying() as tags:
            qos.settle(tags)

    def _beat(self, qos: QoS) -> None:
        look = self._holdings.look()
        # A second look leaves out what was settled between the first and the refresh.
        if qos.refresh(look.live) and (gone := qos.refresh(self._holdings.look().live)):
            logger.warning("%d messages of tasks that run here were given to others", gone)
        for request in look.crashed:
            logger.error("task %s[%s] ended without an outcome, back to its queue", request.name, request.id)
            self._holdings.abandon(request)
            qos.restore_by_tag(request.message.delivery_tag)


class Visibility(bootsteps.StartStopStep):
    """Gives the worker its heartbeat, once per process, for as long as the process holds messages."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._arrears = PendingAcks()
        self._heartbeat: VisibilityHeartbeat | None = None
        self._holdings: InFlight | None = None

    def start(self, parent: Any) -> None:
        """Take charge of the channel that tasks come from; called again after every reconnection."""
        parent.task_consumer.channel.qos.arrears = self._arrears
        if self._heartbeat is None:
            self._begin(parent)

    def stop(self, parent: Any) -> None:
        """Go on: the pool still runs what the consumer took."""

    def shutdown(self, parent: Any) -> None:
        """End with the last task, before the channel gives back what was never begun."""
        if self._heartbeat is not None and self._holdings is not None:
            self._heartbeat.end()
            self._holdings.unwatch()

    def _begin(self, parent: Any) -> None:
        every_s = parent.task_consumer.channel.visibility_timeout / BEATS_PER_TIMEOUT
        self._holdings = InFlight(watched=isinstance(parent.pool, ThreadPool), patience_s=every_s)
        self._holdings.watch()
        self._heartbeat = VisibilityHeartbeat(
            parent.app.connection_for_read, holdings=self._holdings, arrears=self._arrears, every_s=every_s
        )
        self._heartbeat.start()
