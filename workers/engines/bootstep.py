"""Pins a Celery worker to an engine: it takes tasks of the model only while that engine is ready for them."""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import Celery, bootsteps, signals
from celery.worker import state

from workers.engines.errors import EngineError
from workers.engines.pinned import PinnedEngine

log = logging.getLogger(__name__)

EXIT_FAILURE = 1


def install(app: Celery, pinned: PinnedEngine, *, queue: str) -> None:
    """Let the workers of `app` that are to consume `queue` keep the engine, and consume only while it serves.

    On SIGTERM the engine is ended after the last running task; a worker that fails otherwise leaves it under
    its lease, for the next worker to adopt.
    """
    step = type("PinnedStep", (EngineStep,), {"pinned": pinned, "queue": queue, "name": EngineStep.name})
    app.steps["worker"].add(step)


class QueueGate:
    """The TaskGate of a Celery worker: consumes one queue or not, in the consumer's own thread."""

    def __init__(self, worker: Any, queue: str) -> None:
        self._worker = worker
        self._queue = queue
        self._shall_be_open = False
        self._scheduled = threading.Event()

    def open(self) -> None:
        """Consume the queue from now on, also after a reconnection."""
        self._set(True)

    def close(self) -> None:
        """Leave the queue to other workers."""
        self._set(False)

    def _set(self, shall_be_open: bool) -> None:
        self._shall_be_open = shall_be_open
        # A broker that is away keeps the consumer from running callbacks: one may wait, not one per look.
        if not self._scheduled.is_set() and self._is_open() != shall_be_open:
            self._scheduled.set()
            self._worker.consumer.call_soon(self._apply)

    def _is_open(self) -> bool:
        tasks = self._worker.consumer.task_consumer
        return tasks is not None and bool(tasks.consuming_from(self._queue))

    def _apply(self) -> None:
        self._scheduled.clear()
        consumer = self._worker.consumer
        if consumer.task_consumer is None or self._is_open() == self._shall_be_open:
            return
        if self._shall_be_open:
            consumer.add_task_queue(self._queue)
        else:
            consumer.cancel_task_queue(self._queue)


class EngineStep(bootsteps.StartStopStep):
    """The worker's engine, from its start to its end."""

    requires = ("celery.worker.components:Pool",)
    pinned: PinnedEngine
    queue: str

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        queues = worker.app.amqp.queues
        self._chosen = self.queue in queues.consume_from
        if self._chosen:
            # Selected queues survive reconnections: this one is selected by the gate alone.
            queues.deselect(self.queue)

    def include_if(self, worker: Any) -> bool:
        return self._chosen

    def start(self, worker: Any) -> None:
        signals.worker_shutdown.connect(self._after_shutdown, sender=worker, weak=False)
        self.pinned.start(worker.hostname, gate=QueueGate(worker, self.queue), failed=_exit_worker)

    def stop(self, worker: Any) -> None:
        """Stop taking work; the pool, stopped after this, still finishes what runs on the engine."""
        self.pinned.pause()

    def terminate(self, worker: Any) -> None:
        self.pinned.pause()
        self.pinned.stop(keep=False)

    def _after_shutdown(self, sender: Any, **_: Any) -> None:
        failed = sender.exitcode not in (None, 0)
        self.pinned.stop(keep=failed)


def _exit_worker(error: EngineError) -> None:
    """Have the worker exit with 1: Celery looks at this between two events."""
    state.should_stop = EXIT_FAILURE  # type: ignore[assignment]  # Celery declares it by its first value, None
