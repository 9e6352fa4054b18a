"""The base of every task: the services it works with, its log context, and what happens when it fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, Task

from domain.services import Services
from domain.steps.engine_away import EngineAway

log = structlog.get_logger("conclave.task")

AWAY_BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 5.0)
"""Waits between tries while an engine is away; the domain's deadline ends them, not a count."""
ERROR_BACKOFF_S = (1.0, 3.0, 9.0)
"""Waits after an unexpected error; after the last one the task is given up."""


class ConclaveApp(Celery):
    """A Celery application that can reach the domain's services.

    `services` is called in the process that runs the task, after any fork; it returns the same object for the
    lifetime of that process.
    """

    services: Callable[[], Services]


class Step(Task):
    """A task that runs one domain step.

    EngineAway is retried with back-off for as long as the domain raises it. Any other exception is retried a
    few times; then `gave_up` records what that means, so that nobody waits for this task for ever.
    """

    abstract = True
    max_retries = None
    """How often is this class's business, not Celery's default of three."""

    @property
    def services(self) -> Services:
        services: Services = self.app.services()
        return services

    def gave_up(self, error: Exception) -> None:
        """Record that the step will not be done; by default the error is all there is."""
        raise error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        with structlog.contextvars.bound_contextvars(task=self.name, task_id=self.request.id, **self.ids(*args)):
            try:
                value = self.run(*args, **kwargs)
            except EngineAway as away:
                log.info("engine away", reason=away.failure.reason, detail=away.failure.detail)
                raise self._again(away, AWAY_BACKOFF_S, limit=None) from away
            except Exception as error:
                value = self._failed(error)
            log.info("step done", duration_ms=round((time.monotonic() - began) * 1000, 1))
        return value

    def ids(self, *args: Any) -> dict[str, str]:
        """Name the ids among the arguments, for the log."""
        return dict(zip(("deliberation_id", "agent_id"), map(str, args), strict=False))

    def _failed(self, error: Exception) -> None:
        if self.request.retries < len(ERROR_BACKOFF_S):
            log.warning("step failed, will be tried again", error=repr(error))
            raise self._again(error, ERROR_BACKOFF_S, limit=None) from error
        log.error("step given up", error=repr(error))
        self.gave_up(error)

    def _again(self, error: Exception, waits: tuple[float, ...], limit: int | None) -> Exception:
        countdown = waits[min(self.request.retries, len(waits) - 1)]
        retry: Exception = self.retry(exc=error, countdown=countdown, max_retries=limit, throw=False)
        return retry
