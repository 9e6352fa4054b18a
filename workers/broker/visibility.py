"""The heartbeat that keeps messages of running tasks from being requeued, however long the tasks run.

kombu counts the visibility timeout from delivery (https://github.com/celery/celery/issues/5935), so that it must
be longer than the longest task, and a killed worker's tasks wait as long. With a heartbeat it can be seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, cast
from uuid import uuid4

import kombu
from celery import bootsteps
from celery.concurrency.thread import TaskPool as ThreadPool

from workers.broker.in_flight import InFlight
from workers.broker.pending_acks import PendingAcks
from workers.broker.qos import QoS
from workers.broker.transport import Channel

logger = logging.getLogger(__name__)

BEATS_PER_TIMEOUT = 4
"""Three beats may fail before a message is taken from a living worker."""
RETRY_S = 0.5
"""Seconds between attempts to reach a broker that is away."""
LAST_ACKS_S = 5.0
"""Seconds for which a stopping worker waits for a broker that is away, to deliver the acks that are pending."""


class VisibilityHeartbeat(threading.Thread):
    """Refreshes live messages and delivers pending acks, on a connection and a thread of its own.

    Neither a consumer that reconnects nor a pool that finishes its tasks at a shutdown makes it pause. Without a
    broker it tries on for ever.
    """

    def __init__(
        self,
        connect: Callable[[], kombu.Connection],
        *,
        in_flight: InFlight,
        pending_acks: PendingAcks,
        worker_id: str,
        every_s: float,
    ) -> None:
        super().__init__(name="visibility", daemon=True)
        self._worker_id = worker_id
        self._connect = connect
        self._in_flight = in_flight
        self._pending_acks = pending_acks
        self._every_s = every_s
        self._ending = threading.Event()
        self._away = False

    def run(self) -> None:
        while not self._serve() and (self._pending_acks or not self._ending.is_set()):
            sleep(RETRY_S)

    def end(self, within_s: float = LAST_ACKS_S) -> None:
        """Stop, after delivering what is pending if the broker answers within `within_s`."""
        self._ending.set()
        self._pending_acks.arrived.set()
        self.join(within_s)
        if tags := self._pending_acks.pending():
            logger.error("broker away: %d finished tasks will run again: %s", len(tags), sorted(tags))

    def _serve(self) -> bool:
        """Beat until the end, or until the broker is lost: then return False."""
        try:
            with self._connect() as connection:
                connection.ensure_connection(max_retries=0)
                if self._away:
                    logger.info("visibility heartbeat goes on")
                self._away = False
                channel = cast(Channel, connection.default_channel)
                channel.worker_id = self._worker_id
                self._beat_on(cast(QoS, channel.qos))
        except Exception as error:  # without the heartbeat live messages would be requeued
            if not self._away:
                logger.warning("visibility heartbeat can't refresh its messages: %r", error)
            self._away = True
        return not self._away

    def _beat_on(self, qos: QoS) -> None:
        due = monotonic()
        while not self._ending.is_set():
            self._deliver_acks(qos)
            if monotonic() >= due:
                self._beat(qos)
                due = monotonic() + self._every_s
            self._pending_acks.arrived.wait(max(0.0, due - monotonic()))
        self._deliver_acks(qos)

    def _deliver_acks(self, qos: QoS) -> None:
        with self._pending_acks.settling() as tags:
            qos.ack_all(tags)

    def _beat(self, qos: QoS) -> None:
        snapshot = self._in_flight.snapshot()
        # A second snapshot leaves out what was acknowledged between the first and the refresh.
        if qos.refresh(snapshot.live) and (gone := qos.refresh(self._in_flight.snapshot().live)):
            logger.warning("%d messages of tasks that run here were requeued by other workers", gone)
        for request in snapshot.crashed:
            logger.error("task %s[%s] ended without an outcome, requeued", request.name, request.id)
            self._in_flight.remove(request)
            qos.requeue_crashed(request.message.delivery_tag)


class Visibility(bootsteps.StartStopStep):
    """Gives the worker its heartbeat, once per process, for as long as the process has messages in flight."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._pending_acks = PendingAcks()
        self._worker_id = uuid4().hex
        self._heartbeat: VisibilityHeartbeat | None = None
        self._in_flight: InFlight | None = None

    def start(self, parent: Any) -> None:
        """Equip the channel of this connection; called again after every reconnection."""
        parent.task_consumer.channel.worker_id = self._worker_id
        parent.task_consumer.channel.qos.pending_acks = self._pending_acks
        if self._heartbeat is None:
            self._begin(parent)

    def stop(self, parent: Any) -> None:
        """Go on: the pool still runs what the consumer received."""

    def shutdown(self, parent: Any) -> None:
        """End with the last task, before the channel requeues what was never begun."""
        if self._heartbeat is not None and self._in_flight is not None:
            self._heartbeat.end()
            self._in_flight.unwatch()

    def _begin(self, parent: Any) -> None:
        every_s = parent.task_consumer.channel.visibility_timeout / BEATS_PER_TIMEOUT
        self._in_flight = InFlight(watched=isinstance(parent.pool, ThreadPool), patience_s=every_s)
        self._in_flight.watch()
        self._heartbeat = VisibilityHeartbeat(
            parent.app.connection_for_read,
            in_flight=self._in_flight,
            pending_acks=self._pending_acks,
            worker_id=self._worker_id,
            every_s=every_s,
        )
        self._heartbeat.start()
