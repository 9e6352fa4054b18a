"""The Celery application: `celery -A workers.app worker|beat|flower` finds it as `app`, made on first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from celery.signals import beat_init, setup_logging, worker_init, worker_ready
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

import tasks.entrypoints  # declares the tasks by their names; importing connects nothing
import tasks.parking_entrypoints  # noqa: F401
from domain.services import Services
from tasks.beat_entries import beat_schedule
from tasks.heartbeat import DeliberationHeartbeat
from tasks.queue_names import CONTROL, model_queue_name
from tasks.queues import EXCHANGE, ROUTES, declared
from tasks.step import ConclaveApp
from workers import logs
from workers.adapters.redis.clock import RedisClock
from workers.adapters.redis.connection import address
from workers.broker import celery_conf, install
from workers.composition import Composition, engine_of
from workers.doctor.store_server import warn_of_eviction
from workers.engines.bootstep import install as pin
from workers.errors import Unavailable
from workers.garbage import pass_over_what_is_there
from workers.metrics.endpoint import serve_metrics
from workers.metrics.readings import ReadingCollector, beat_readings, engine_readings
from workers.per_process import PerProcess
from workers.settings import Settings, sentence, unknown_settings
from workers.skew import SkewWatch, refuse_skewed
from workers.store_ports import CLOCK_PATIENCE_S, store_client, store_clock

log = structlog.get_logger("conclave.app")

BEAT_LOOP_S, BEAT_LOCK_S = 2, 10
"""The lock is renewed or asked for at every loop, so five loops may be late before a standby takes it."""


def make_app(settings: Settings) -> ConclaveApp:
    """Build an application on these settings; connects to nothing.

    Raises Unavailable for settings of an engine that contradict one another.
    """
    app = ConclaveApp("conclave", set_as_current=True)
    url = settings.redis_url.get_secret_value()
    app.conf.update(
        celery_conf(
            broker_url=url,
            result_url=url,
            broker_prefix=settings.broker_prefix,
            results_prefix=settings.results_prefix,
            visibility_timeout_s=settings.visibility_timeout_s,
            sentinel_master=settings.redis_sentinel_master if "sentinel://" in url else "",
        ),
        task_queues=declared([settings.model]),
        task_default_queue=CONTROL,
        task_default_exchange=EXCHANGE.name,
        task_default_exchange_type=EXCHANGE.type,
        task_default_routing_key=CONTROL,
        task_routes=ROUTES,
        worker_pool="threads",
        worker_concurrency=settings.worker_concurrency,
        # Flower sees every task from the moment it is sent.
        worker_send_task_events=True,
        task_send_sent_event=True,
        beat_schedule=beat_schedule(settings.effective_policy, settings.redeliberation),
        beat_scheduler="workers.beat:BeatScheduler",
        # A standby beat takes over when the lock of a dead one has run out; redbeat's default is 25 minutes.
        beat_max_loop_interval=BEAT_LOOP_S,
        redbeat_lock_timeout=BEAT_LOCK_S,
        # For beat's banner alone. Celery hides no password here, and Flower shows the configuration.
        redbeat_redis_url=address(url),
        redbeat_redis_options={},
        redbeat_key_prefix=f"{settings.key_prefix}beat:",
    )
    # redbeat takes this connection for its own, and with it our Sentinel, TLS and patience.
    app.redbeat_redis = store_client(settings)  # type: ignore[attr-defined]
    install(app, remote_control=settings.remote_control)
    own = engine_of(settings)
    pin(app, own, queue=model_queue_name(settings.model))
    registry = CollectorRegistry()
    engine = engine_readings(settings.model, own.record, pinned=lambda: own.started)
    registry.register(ReadingCollector(engine, beat_readings(lambda: app.beat_acts)))
    clock = PerProcess(lambda: store_clock(settings, observe=SkewWatch()))
    app.store_clock = clock
    app.services = PerProcess(
        lambda: Composition(settings, own=own, registry=registry, clock=clock()).services(app)
    )
    app.heartbeat = PerProcess(lambda: _heartbeat(app.services()))
    worker_init.connect(_equipped(app, clock, settings), weak=False, dispatch_uid="conclave.services")
    beat_init.connect(_in_time(clock), weak=False, dispatch_uid="conclave.clock")
    for ready in (worker_ready, beat_init):
        ready.connect(_metrics_as_set(settings, registry), weak=False, dispatch_uid="conclave.metrics")
    worker_ready.connect(_settled, weak=False, dispatch_uid="conclave.garbage")
    setup_logging.connect(_log_as_set(settings), weak=False, dispatch_uid="conclave.logs")
    return app


def _heartbeat(services: Services) -> DeliberationHeartbeat:
    return DeliberationHeartbeat(
        deliberations=services.deliberations, clock=services.clock, every_s=services.policy.sweep_after_s / 4
    )


def _equipped(app: ConclaveApp, clock: Callable[[], RedisClock], settings: Settings) -> Any:
    """See that a worker that can't do its work does not start: its first task would find out, and every other."""

    def equip(**_: Any) -> None:
        try:
            refuse_skewed(clock())
            warn_of_eviction(store_client(settings, patience_s=CLOCK_PATIENCE_S))
            app.services()
        except Unavailable as error:
            raise SystemExit(f"conclave: {error}") from error

    return equip


def _in_time(clock: Callable[[], RedisClock]) -> Any:
    """See that a beat whose host's clock is wrong does not start: what it sends would come late, or expired."""

    def check(**_: Any) -> None:
        try:
            refuse_skewed(clock())
        except Unavailable as error:
            raise SystemExit(f"conclave: {error}") from error

    return check


def _settled(**_: Any) -> None:
    pass_over_what_is_there()


def _log_as_set(settings: Settings) -> Any:
    def configure(**_: Any) -> None:
        logs.configure(level=settings.log_level, as_json=settings.log_json)
        for unknown in unknown_settings():
            log.warning(unknown)

    return configure


def _metrics_as_set(settings: Settings, registry: CollectorRegistry) -> Any:
    def serve(**_: Any) -> None:
        serve_metrics(registry, host=settings.metrics.host, port=settings.metrics.port)

    return serve


@cache
def _app() -> ConclaveApp:
    try:
        settings = Settings()
    except ValidationError as error:
        raise SystemExit(f"conclave: {sentence(error)}") from error
    try:
        return make_app(settings)
    except Unavailable as error:
        raise SystemExit(f"conclave: {error}") from error


def __getattr__(name: str) -> ConclaveApp:
    # Celery's command line asks this module for `app`; reading the environment has to wait until then.
    if name in {"app", "celery"}:
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
