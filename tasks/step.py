"""The base of every task: the services it works with, its log context, and what happens when it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, ClassVar

import structlog
from celery import Celery, Task, current_app
from celery.exceptions import Reject, Retry
from celery.signals import before_task_publish
from structlog.contextvars import bound_contextvars

from domain.engine_wait import EngineWait
from domain.errors import EngineAway, HistoryUnreadable, NewerRecord, PublishFailed, StoreUnreconciled
from domain.parked import Parked, parked_id_of
from domain.ports.clock import Clock
from domain.services import Services
from domain.spans import current_traceparent, spanning
from domain.steps.reconcile import close_gap
from tasks.heartbeat import DeliberationHeartbeat
from tasks.losses import Loss, is_killer, losses_of, since_progress
from tasks.retries import GiveUp, RetryCounts, RetryIn, RetryPolicy

log = structlog.get_logger("conclave.task")

SENT_AT = "conclave_sent_at"
"""Message header: epoch seconds when the message was published; tells how long a task waited."""

ENGINE_WAIT = "conclave_engine_wait"
"""Message header: an EngineWait as JSON."""


class ConclaveApp(Celery):
    """A Celery application that can reach the domain's services.

    `services` is called in the process that runs the task, after any fork; it returns the same object for the
    lifetime of that process. `heartbeat` and `store_clock` likewise.
    """

    amqp_cls = "tasks.queues:Amqp"
    services: Callable[[], Services]
    heartbeat: Callable[[], DeliberationHeartbeat]
    store_clock: Callable[[], Clock]
    retry_policy = RetryPolicy()
    beat_acts: bool | None = None
    """Whether this process is the beat that sends; None for a process that is none."""


@before_task_publish.connect
def _stamp(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        clock = getattr(current_app, "store_clock", None)  # another application's publisher has none
        headers[SENT_AT] = clock().now() if clock else time.time()
        headers.setdefault("traceparent", current_traceparent())


class Poisonous(Exception):
    """The task lost its worker too often to be run again."""


class Step(Task):  # type: ignore[type-arg]  # generic in the stubs only
    """A task that runs one domain step.

    EngineAway is retried with back-off for as long as the domain raises it, NewerRecord for an hour. Any other
    exception is retried a few times; then, and for a task that keeps killing its workers, `gave_up` records what
    that means, so that no deliberation waits for this task for ever. `tasks.retries` decides. A task that expires
    is one of beat's fixed entries, which sends the next one: it is not retried.
    """

    abstract = True
    max_retries = None
    """The application's retry policy decides how often, not Celery's default of three."""
    app: ConclaveApp
    comparing: ClassVar = threading.Lock()
    """Held while a thread of this process compares the store with the streams."""

    @property
    def services(self) -> Services:
        return self.app.services()

    @property
    def sent_at(self) -> float:
        """Return when this run's message was published, in epoch seconds; now, where it doesn't say."""
        return float(self.request.get(SENT_AT) or self.services.clock.now())

    @property
    def waited(self) -> EngineWait | None:
        """Return what earlier runs met where the engine was away; None for the first, or an unreadable header."""
        told = self.request.get(ENGINE_WAIT)
        try:
            return EngineWait.model_validate_json(told) if isinstance(told, str) else None
        except ValueError:
            return None

    def gave_up(self, error: Exception) -> Any:
        """Record that the step will not be done and return the task's value; by default there is no record."""
        raise error

    def subject(self) -> str | None:
        """Name the deliberation that this run works on; None where it is no single one."""
        return None

    def progress_at(self) -> float:
        """Return when this task's work moved last, in epoch seconds; 0.0 where it is done in one piece."""
        return 0.0

    def close_gap(self) -> None:
        """Compare the store with the streams if it may have lost something; while NATS is away, another time.

        Of the tasks that wait for that in this process one does it, since each would read all streams.
        """
        if not self.comparing.acquire(blocking=False):
            return
        try:
            self._close_gap()
        finally:
            self.comparing.release()

    def _close_gap(self) -> None:
        services = self.services
        try:
            done = close_gap(
                continuity=services.continuity,
                history=services.history,
                plans=services.plans,
                deliberations=services.deliberations,
                verdicts=services.verdicts,
                dispatcher=services.dispatcher,
                meter=services.meter,
                policy=services.policy,
            )
        except HistoryUnreadable as error:
            log.warning("store not reconciled", reason=str(error))
            return
        except Exception:  # Whatever it is, what waits for this goes on waiting, and the next look tries again.
            log.exception("store not reconciled")
            return
        if done is not None:
            found = done.model_dump(exclude_defaults=True)
            (log.warning if found else log.info)("store reconciled", done=done.sentence, **found)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        subject = self.subject()
        with bound_contextvars(task=self.name, task_id=self.request.id, deliberation_id=subject or ""):
            with self._span(subject), self._heartbeat(subject):
                value = self._attempt(*args, **kwargs)
            self.log_done(value, round((time.monotonic() - began) * 1000, 1))
            return value

    def log_done(self, value: Any, duration_ms: float) -> None:
        """Write the run's one log line; `value` is what it returned."""
        log.info("step done", duration_ms=duration_ms)

    @contextmanager
    def _span(self, subject: str | None) -> Iterator[None]:
        """Enclose this run in its span, below what sent it, or linked to that where a worker was lost with it."""
        sender = self.request.get("traceparent") or ""
        lost = bool(losses_of(self.request))
        attributes = {"celery.task_id": str(self.request.id), "conclave.deliberation_id": subject or ""}
        span = self.services.tracer.start(
            self.name, parent="" if lost else sender, links=[sender] if lost else (), attributes=attributes
        )
        # A countdown's end is told by the clock of the host that set it.
        waited_s = max(0.0, self.services.clock.now() - self._due())
        with spanning(span, conversation=subject or ""), self.services.meter.step(self.name, waited_s=waited_s):
            yield

    def _due(self) -> float:
        """Return when this run was to begin, in epoch seconds: when it was sent, or its countdown's end."""
        eta = datetime.fromisoformat(str(self.request.eta)).timestamp() if self.request.eta else 0.0
        return max(self.sent_at, eta)

    def _heartbeat(self, subject: str | None) -> AbstractContextManager[None]:
        return nullcontext() if subject is None else self.app.heartbeat().working_on(subject)

    def _attempt(self, *args: Any, **kwargs: Any) -> Any:
        counts = RetryCounts.of_message(self.request)
        try:
            return self._park() if self._kills_workers() else self.run(*args, **kwargs)
        except EngineAway as away:
            log.info("engine away", reason=away.wait.reason, detail=away.wait.detail)
            left_s = away.until - self.services.clock.now()
            again = self.app.retry_policy.engine_away(counts, left_s=left_s)
            raise self._again(again, away, {ENGINE_WAIT: away.wait.model_dump_json()}) from away
        except StoreUnreconciled as gap:
            self.close_gap()
            again = self.app.retry_policy.store_gap(counts)
            raise self._again(again, gap) from gap
        except Exception as error:
            if self.request.expires:  # by then beat has sent the next one
                log.warning("step failed, beat sends it again", error=repr(error), exc_info=_unexpected(error))
                return None
            policy = self.app.retry_policy
            newer = isinstance(error, NewerRecord)
            decision = policy.newer_record(counts) if newer else policy.unexpected_error(counts)
            if isinstance(decision, GiveUp):
                log.exception("step given up")
                return self.gave_up(error)
            log.warning("step failed, will be tried again", error=repr(error))
            raise self._again(decision, error) from error

    def _recent_losses(self) -> tuple[Loss, ...]:
        losses = losses_of(self.request)
        return since_progress(losses, self.progress_at()) if losses else ()

    def _kills_workers(self) -> bool:
        return is_killer(self._recent_losses(), self.services.policy.park_after_losses)

    def _park(self) -> Any:
        lost = len(self._recent_losses())
        error = Poisonous(f"{lost} workers were lost while they ran this task, without progress")
        parked = Parked(
            parked_id=parked_id_of(str(self.request.id)),
            at=self.services.clock.now(),
            queue=str((self.request.delivery_info or {}).get("routing_key", "")),
            reason=str(error),
            task=self.name,
            subject=self.subject() or str((self.request.args or ("",))[0]),
        )
        self.services.parking.put(parked)
        log.error("step parked", losses=lost, parked_id=parked.parked_id)
        return self.gave_up(error)

    def _again(self, decision: RetryIn, error: Exception, more: Mapping[str, str] | None = None) -> Retry:
        headers = {**(self.request.headers or {}), **decision.counts.headers(), **(more or {})}
        try:
            return self.retry(exc=error, countdown=decision.seconds, headers=headers, throw=False)
        except Reject as unpublished:  # Celery would drop the message for good
            raise Reject(unpublished.args[0], requeue=True) from unpublished


def _unexpected(error: Exception) -> bool:
    """Whether a traceback tells more than the error's own text."""
    return not isinstance(error, PublishFailed)
