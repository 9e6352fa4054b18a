"""The Celery application: `celery -A workers.app worker|beat|flower` finds it as `app`, made on first use."""

from __future__ import annotations

from functools import cache
from typing import Any

from celery.signals import setup_logging

import tasks.entrypoints  # noqa: F401  # declares the tasks by their names; importing connects nothing
from tasks.queues import CONTROL, EXCHANGE, ROUTES, declared
from tasks.schedule import beat_schedule
from tasks.step import ConclaveApp
from workers import logs
from workers.broker import celery_conf, install
from workers.composition import build, per_process
from workers.settings import BROKER_DB, RESULTS_DB, Settings


def make_app(settings: Settings) -> ConclaveApp:
    """Build an application on these settings; connects to nothing."""
    app = ConclaveApp("conclave", set_as_current=True)
    app.conf.update(
        celery_conf(
            broker_url=settings.redis(BROKER_DB),
            result_url=settings.redis(RESULTS_DB),
            visibility_timeout_s=settings.visibility_timeout_s,
        ),
        task_queues=declared([settings.model]),
        task_default_queue=CONTROL,
        task_default_exchange=EXCHANGE.name,
        task_default_exchange_type=EXCHANGE.type,
        task_default_routing_key=CONTROL,
        task_routes=ROUTES,
        worker_pool="threads",
        worker_concurrency=settings.worker_concurrency,
        beat_schedule=beat_schedule(settings.effective_policy),
    )
    install(app)
    app.services, app.heartbeat = per_process(lambda: build(settings, app))
    setup_logging.connect(_log_as_set(settings), weak=False, dispatch_uid="conclave.logs")
    return app


def _log_as_set(settings: Settings) -> Any:
    def configure(**_: Any) -> None:
        logs.configure(level=settings.log_level, as_json=settings.log_json)

    return configure


@cache
def _app() -> ConclaveApp:
    return make_app(Settings())


def __getattr__(name: str) -> ConclaveApp:
    # Celery's command line asks this module for `app`; reading the environment has to wait until then.
    if name in {"app", "celery"}:
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
