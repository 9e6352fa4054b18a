"""The composition root: the only place where ports meet their adapters. Nothing connects before its first use."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from importlib.metadata import version
from threading import Lock
from typing import Generic, TypeVar

from celery import Celery
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis import Redis

from bridge.bridge import Bridge, BridgeOptions
from bridge.connection import NatsOptions
from bridge.consumer import ConsumerOptions
from bridge.event_publisher import NatsEventPublisher
from bridge.streams import StreamLimits
from domain.ports.chat_model import Outcome
from domain.ports.engine_directory import EngineKind, EngineRecord
from domain.services import Services
from tasks.dispatcher import CeleryDispatcher
from tasks.heartbeat import Heartbeat
from workers import logs
from workers.adapters.chat_model import OpenAIChatModel
from workers.adapters.clock import SystemClock
from workers.adapters.redis.connection import connect
from workers.adapters.redis.council_registry import RedisCouncilRegistry
from workers.adapters.redis.deliberation_index import RedisDeliberationIndex
from workers.adapters.redis.deliberation_store import RedisDeliberationStore
from workers.adapters.redis.engine_directory import RedisEngineDirectory
from workers.adapters.redis.outbox import RedisOutbox
from workers.adapters.redis.plan_backlog import RedisPlanBacklog
from workers.adapters.redis.plan_store import RedisPlanStore
from workers.adapters.redis.tally import RedisTally
from workers.checks.registry import load_checks
from workers.engines.pinned import PinnedEngine
from workers.engines.spec import EngineSpec
from workers.metrics.endpoint import serve_metrics
from workers.metrics.gauges import Gauges, Reading, bridge_readings, store_readings, supply_readings
from workers.metrics.meter import PrometheusMeter
from workers.portal import Portal
from workers.settings import STORE_DB, Settings
from workers.tracing.chosen import tracer_for
from workers.tracing.dispatcher import TracedDispatcher
from workers.tracing.model import TracedChatModel

T = TypeVar("T")

SCRAPE_PATIENCE_S = 1.0
"""Prometheus waits ten seconds for a scrape by default."""


def store_client(settings: Settings) -> Redis:
    """Return a client of the durable store; connects at its first command."""
    return connect(settings.redis(STORE_DB), master=settings.redis_sentinel_master)


def engine_of(settings: Settings) -> PinnedEngine:
    """Describe the engine that a model worker on these settings is pinned to; nothing starts."""
    chosen = {name: value for name, value in settings.engine if value not in (None, ())}
    kind = EngineKind.EXTERNAL if settings.engine_url else EngineKind.VLLM
    # The key is for external engines: one of ours that was told it would ask every caller for it.
    key = settings.engine_key if settings.engine_url else SecretStr("")
    known = {"kind": kind, "model": settings.model, "url": settings.engine_url, "api_key": key}
    spec = EngineSpec.model_validate(known | chosen)
    prefix = settings.key_prefix
    return PinnedEngine(
        spec, lambda: RedisEngineDirectory(store_client(settings), prefix=prefix), clock=SystemClock()
    )


def build(
    settings: Settings, app: Celery, *, own: PinnedEngine | None = None, registry: CollectorRegistry | None = None
) -> Services:
    """Wire all ports for one process; `own` is the engine it is pinned to, `registry` where it counts."""
    meter = PrometheusMeter(registry or CollectorRegistry())
    clock, client, prefix = SystemClock(), store_client(settings), settings.key_prefix
    keep = settings.retention_s
    plans = RedisPlanStore(client, clock=clock, retention_s=keep, prefix=prefix)
    engines = RedisEngineDirectory(client, prefix=prefix)
    portal, pinned = Portal(), own or engine_of(settings)
    observe = _both(pinned.observe, meter.called)
    model = OpenAIChatModel(engines, portal, own=pinned.record, observe=observe, api_key=_api_key(settings))
    tracer = tracer_for(settings.otlp_endpoint, service="conclave")
    return Services(
        clock=clock,
        councils=RedisCouncilRegistry(client, prefix=prefix),
        plans=plans,
        backlog=RedisPlanBacklog(client, clock=clock, prefix=prefix),
        deliberations=RedisDeliberationStore(client, clock=clock, retention_s=keep, prefix=prefix),
        index=RedisDeliberationIndex(client, clock=clock, retention_s=keep, prefix=prefix),
        outbox=RedisOutbox(client, clock=clock, retention_s=keep, prefix=prefix),
        tally=RedisTally(client, prefix=prefix),
        publisher=NatsEventPublisher(nats_options(settings), portal),
        dispatcher=CeleryDispatcher(app, plans),
        model=TracedChatModel(model, tracer),
        engines=engines,
        meter=meter,
        tracer=tracer,
        checks=load_checks(),
        policy=settings.effective_policy,
        redeliberation=settings.redeliberation,
    )


def _both(*ears: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
    def hear(outcome: Outcome) -> None:
        for ear in ears:
            ear(outcome)

    return hear


def _api_key(settings: Settings) -> Callable[[EngineRecord], str]:
    """Only an external engine is told the key: our own ask for none."""

    def key(record: EngineRecord) -> str:
        return settings.engine_key.get_secret_value() if record.kind is EngineKind.EXTERNAL else ""

    return key


class PerProcess(Generic[T]):
    """Calls `make` once per process, whichever thread comes first; the others wait and get the same object."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}
        self._locks: dict[int, Lock] = {}

    def __call__(self) -> T:
        pid = os.getpid()
        if pid not in self._made:
            # A child gets a lock of its own: one that was copied while held would never open.
            with self._locks.setdefault(pid, Lock()):
                if pid not in self._made:
                    self._made[pid] = self._make()
        return self._made[pid]


def per_process(build_services: Callable[[], Services]) -> tuple[Callable[[], Services], Callable[[], Heartbeat]]:
    """Return functions that give a process its services and heartbeat, made on first use.

    Kept by process id, since connections, threads and event loops do not survive a fork.
    """

    services = PerProcess(build_services)
    return services, PerProcess(lambda: Heartbeat(services()))


def nats_options(settings: Settings) -> NatsOptions:
    """Say where NATS is and who we are there."""
    return NatsOptions(
        servers=settings.nats_url,
        user=settings.nats_user,
        password=settings.nats_password,
        credentials=settings.nats_credentials,
        inbox_prefix=settings.nats_inbox_prefix,
        tls_ca=settings.nats_ca,
        tls_cert=settings.nats_cert,
        tls_key=settings.nats_key,
    )


def bridge_options(settings: Settings) -> BridgeOptions:
    """Say everything a bridge needs to know."""
    return BridgeOptions(
        nats=nats_options(settings),
        consumer=ConsumerOptions(
            batch=settings.bridge_batch,
            ack_wait_s=settings.bridge_ack_wait_s,
            max_ack_pending=settings.bridge_max_ack_pending,
            max_deliver=settings.bridge_max_deliver,
        ),
        streams=StreamLimits(
            max_bytes=settings.stream_max_bytes,
            max_age_s=settings.stream_max_age_s,
            duplicate_window_s=settings.duplicate_window_s,
            replicas=settings.stream_replicas,
        ),
        max_message_bytes=settings.max_message_bytes,
        limits=settings.policy.limits,
        phases=settings.phase_roles,
        version=version("conclave"),
    )


def serve_bridge(settings: Settings) -> None:
    """Run a bridge until SIGTERM or SIGINT, then settle what is at hand."""
    from workers.app import make_app

    logs.configure(level=settings.log_level, as_json=settings.log_json)
    services = build(settings, make_app(settings))
    room = _room(services, settings.max_open)
    dispatcher = TracedDispatcher(services.dispatcher, services.tracer)
    bridge = Bridge(bridge_options(settings), dispatcher=dispatcher, room=room)
    registry = CollectorRegistry()
    registry.register(Gauges(bridge_readings(bridge.statistics), *_store_figures(settings)))
    serve_metrics(registry, host=settings.metrics_host, port=settings.metrics_port)
    asyncio.run(_until_signalled(bridge))


def _store_figures(settings: Settings) -> tuple[Callable[[], list[Reading]], ...]:
    """Read the store with little patience: a scrape must end before Prometheus gives it up."""
    master, patience = settings.redis_sentinel_master, SCRAPE_PATIENCE_S
    client = connect(settings.redis(STORE_DB), master=master, patience_s=patience)
    clock, keep, prefix = SystemClock(), settings.retention_s, settings.key_prefix
    index = RedisDeliberationIndex(client, clock=clock, retention_s=keep, prefix=prefix)
    outbox = RedisOutbox(client, clock=clock, retention_s=keep, prefix=prefix)
    councils, engines = RedisCouncilRegistry(client, prefix=prefix), RedisEngineDirectory(client, prefix=prefix)
    return (
        store_readings(index, outbox, clock),
        supply_readings(councils, engines, default_model=settings.model),
    )


def _room(services: Services, max_open: int) -> Callable[[], int]:
    """Say how many more plans may come in: what is open and what waits to be opened both take room."""
    return lambda: max_open - services.index.count_open() - services.backlog.count()


async def _until_signalled(bridge: Bridge) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await bridge.serve(stop)
