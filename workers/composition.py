"""The composition root: the only place where ports meet their adapters. Nothing connects before its first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from celery import Celery
from prometheus_client import CollectorRegistry
from redis import Redis

from bridge.event_publisher import NatsEventPublisher
from domain.chat import ChatOutcome
from domain.checks.check import Check
from domain.engine import EngineKind, EngineRecord
from domain.ports.tracer import Tracer
from domain.services import Services
from tasks.dispatcher import CeleryDispatcher
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
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
from workers.metrics.meter import PrometheusMeter
from workers.portal import Portal
from workers.settings import Settings
from workers.tracing.chosen import tracer_for
from workers.tracing.model import TracedChatModel


class Composition:
    """Every port over its adapter for one process, each made at its first use.

    A command that reads councils makes a store's client and nothing else. `own` is the engine that the process is
    pinned to, `registry` is where it counts, `patience_s` bounds how long a call to the store rides out an outage.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        own: PinnedEngine | None = None,
        registry: CollectorRegistry | None = None,
        patience_s: float | None = None,
    ) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self._own = own
        self._registry = registry
        self._patience_s = patience_s
        self._prefix = settings.key_prefix
        self._retention_s = settings.retention_s

    @cached_property
    def store(self) -> Redis:
        """The client of the durable store; connects at its first command."""
        return store_client(self.settings, patience_s=self._patience_s)

    @cached_property
    def councils(self) -> RedisCouncilRegistry:
        return RedisCouncilRegistry(self.store, prefix=self._prefix)

    @cached_property
    def plans(self) -> RedisPlanStore:
        return RedisPlanStore(self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix)

    @cached_property
    def backlog(self) -> RedisPlanBacklog:
        return RedisPlanBacklog(self.store, clock=self.clock, prefix=self._prefix)

    @cached_property
    def deliberations(self) -> RedisDeliberationStore:
        return RedisDeliberationStore(
            self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix
        )

    @cached_property
    def index(self) -> RedisDeliberationIndex:
        return RedisDeliberationIndex(
            self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix
        )

    @cached_property
    def outbox(self) -> RedisOutbox:
        return RedisOutbox(self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix)

    @cached_property
    def tally(self) -> RedisTally:
        return RedisTally(self.store, prefix=self._prefix)

    @cached_property
    def engines(self) -> RedisEngineDirectory:
        return RedisEngineDirectory(self.store, prefix=self._prefix)

    @cached_property
    def portal(self) -> Portal:
        return Portal()

    @cached_property
    def publisher(self) -> NatsEventPublisher:
        return NatsEventPublisher(self.settings.nats, self.portal)

    @cached_property
    def meter(self) -> PrometheusMeter:
        return PrometheusMeter(self._registry or CollectorRegistry())

    @cached_property
    def tracer(self) -> Tracer:
        return tracer_for(self.settings.otlp_endpoint, service="conclave")

    @cached_property
    def model(self) -> TracedChatModel:
        own = self._own or engine_of(self.settings)
        model = OpenAIChatModel(
            self.engines,
            self.portal,
            own=own.record,
            observe=_both(own.observe, self.meter.called),
            api_key=_api_key(self.settings),
        )
        return TracedChatModel(model, self.tracer)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return load_checks()

    def services(self, app: Celery) -> Services:
        """Return all ports together, work being queued on `app`'s broker."""
        return Services(
            clock=self.clock,
            councils=self.councils,
            plans=self.plans,
            backlog=self.backlog,
            deliberations=self.deliberations,
            index=self.index,
            outbox=self.outbox,
            tally=self.tally,
            publisher=self.publisher,
            dispatcher=CeleryDispatcher(app, self.plans),
            model=self.model,
            engines=self.engines,
            meter=self.meter,
            tracer=self.tracer,
            checks=self.checks,
            policy=self.settings.effective_policy,
            redeliberation=self.settings.redeliberation,
        )


def store_client(settings: Settings, *, patience_s: float | None = None) -> Redis:
    """Return a client of the durable store; connects at its first command."""
    url, master = settings.redis_url.get_secret_value(), settings.redis_sentinel_master
    return (
        connect(url, master=master) if patience_s is None else connect(url, master=master, patience_s=patience_s)
    )


def engine_of(settings: Settings) -> PinnedEngine:
    """Describe the engine that a model worker on these settings is pinned to; nothing starts."""
    spec = EngineSpec.of(settings.engine, model=settings.model)
    return PinnedEngine(spec, lambda: Composition(settings).engines, clock=SystemClock())


def _both(*listeners: Callable[[ChatOutcome], None]) -> Callable[[ChatOutcome], None]:
    def observe(outcome: ChatOutcome) -> None:
        for listener in listeners:
            listener(outcome)

    return observe


def _api_key(settings: Settings) -> Callable[[EngineRecord], str]:
    """Show the key to external engines alone: our own ask for none."""

    def key(record: EngineRecord) -> str:
        return settings.engine.key.get_secret_value() if record.kind is EngineKind.EXTERNAL else ""

    return key
