"""The base of every task: the services it works with, its log context, and what happens when it fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from celery import Celery, Task
from celery.exceptions import Retry
from celery.signals import before_task_publish
from structlog.contextvars import bound_contextvars

from domain.errors import EngineAway
from domain.ports.tracer import Span
from domain.services import Services
from domain.spans import current_traceparent, spanning
from tasks.heartbeat import DeliberationHeartbeat

log = structlog.get_logger("conclave.task")

AWAY_BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 5.0)
"""Waits between tries while an engine is away; the domain's deadline ends them, not a count."""
ERROR_BACKOFF_S = (1.0, 3.0, 9.0)
"""Waits after an unexpected error; after the last one the task is given up."""


SENT_AT = "conclave_sent_at"
"""Message header: epoch seconds when the message was published; tells how long a task waited."""
MAX_LOSSES = 2
"""A task that has lost so many workers is taken for their killer and parked."""


class ConclaveApp(Celery):
    """A Celery application that can reach the domain's services.

    `services` is called in the process that runs the task, after any fork; it returns the same object for the
    lifetime of that process. `heartbeat` likewise.
    """

    amqp_cls = "tasks.queues:Amqp"
    services: Callable[[], Services]
    heartbeat: Callable[[], DeliberationHeartbeat]


@before_task_publish.connect
def _stamp(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        headers[SENT_AT] = time.time()
        headers.setdefault("traceparent", current_traceparent())


class Poisonous(Exception):
    """The task lost its worker too often to be run again."""


class Step(Task):  # type: ignore[type-arg]  # generic in the stubs only
    """A task that runs one domain step.

    EngineAway is retried with back-off for as long as the domain raises it. Any other exception is retried a
    few times; then, and for a task that keeps killing its workers, `gave_up` records what that means, so that
    nobody waits for this task for ever.
    """

    abstract = True
    max_retries = None
    """How often is this class's business, not Celery's default of three."""
    app: ConclaveApp

    @property
    def services(self) -> Services:
        return self.app.services()

    @property
    def sent_at(self) -> float:
        """Return when this run's message was published, in epoch seconds; now, where it doesn't say."""
        return float(self.request.get(SENT_AT) or time.time())

    def gave_up(self, error: Exception) -> Any:
        """Record that the step will not be done and return the task's value; by default there is no record."""
        raise error

    def subject(self) -> str | None:
        """Name the deliberation that this run works on; None where it is no single one."""
        return None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        subject = self.subject()
        with bound_contextvars(task=self.name, task_id=self.request.id, deliberation_id=subject or ""):
            waited_s = time.time() - self._due()
            with spanning(self._span(subject)), self.services.meter.step(self.name, waited_s=waited_s):
                value = self._kept_fresh(subject, *args, **kwargs)
            log.info("step done", duration_ms=round((time.monotonic() - began) * 1000, 1))
            return value

    def _span(self, subject: str | None) -> Span:
        """Begin this run's span: below what sent it, or linked to that where a worker was lost with it."""
        sender = self.request.get("traceparent") or ""
        lost = bool(self.request.get("losses"))
        known = {"celery.task_id": str(self.request.id), "conclave.deliberation_id": subject or ""}
        return self.services.tracer.start(
            self.name, parent="" if lost else sender, links=[sender] if lost else (), attributes=known
        )

    def _due(self) -> float:
        """Return when this run was to begin, in epoch seconds: when it was sent, or its countdown's end."""
        eta = datetime.fromisoformat(str(self.request.eta)).timestamp() if self.request.eta else 0.0
        return max(self.sent_at, eta)

    def _kept_fresh(self, subject: str | None, *args: Any, **kwargs: Any) -> Any:
        if subject is None:
            return self._attempt(*args, **kwargs)
        with self.app.heartbeat().working_on(subject):
            return self._attempt(*args, **kwargs)

    def _attempt(self, *args: Any, **kwargs: Any) -> Any:
        losses = self.request.get("losses") or 0
        if losses >= MAX_LOSSES:
            log.error("step parked", losses=losses)
            return self.gave_up(Poisonous(f"{losses} workers were lost with this task in their hands"))
        try:
            return self.run(*args, **kwargs)
        except EngineAway as away:
            log.info("engine away", reason=away.failure.reason, detail=away.failure.detail)
            raise self._again(away, AWAY_BACKOFF_S) from away
        except Exception as error:
            if self.request.retries >= len(ERROR_BACKOFF_S):
                log.exception("step given up")
                return self.gave_up(error)
            log.warning("step failed, will be tried again", error=repr(error))
            raise self._again(error, ERROR_BACKOFF_S) from error

    def _again(self, error: Exception, waits: tuple[float, ...]) -> Retry:
        countdown = waits[min(self.request.retries, len(waits) - 1)]
        return self.retry(exc=error, countdown=countdown, throw=False)
