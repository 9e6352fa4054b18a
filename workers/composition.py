"""The composition root: the only place where ports meet their adapters. Nothing connects before its first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from celery import Celery
from prometheus_client import CollectorRegistry

from bridge.event_history import NatsEventHistory
from bridge.event_message import EventEncoder
from bridge.event_publisher import NatsEventPublisher
from bridge.intake import readers
from bridge.options import SOURCE
from domain.chat import ChatOutcome
from domain.engine import EngineKind, EngineRecord
from domain.ports.clock import Clock
from domain.ports.tracer import Tracer
from domain.services import Services
from tasks.dispatcher import CeleryDispatcher
from workers.adapters.clock import SystemClock
from workers.checks.isolated import IsolatedChecks
from workers.checks.registry import check_points
from workers.engines.engine import ReadyCheck
from workers.engines.pinned import PinnedEngine
from workers.engines.spec import EngineSpec
from workers.metrics.meter import PrometheusMeter
from workers.portal import Portal
from workers.settings import Settings
from workers.store_ports import StorePorts
from workers.tracing.chosen import tracer_for
from workers.tracing.model import TracedChatModel


class Composition(StorePorts):
    """Every port over its adapter for one process, each made at its first use.

    `own` is the engine that the process is pinned to, `registry` is where it counts.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        own: PinnedEngine | None = None,
        registry: CollectorRegistry | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(settings, clock=clock)
        self._own = own
        self._registry = registry

    @cached_property
    def portal(self) -> Portal:
        return Portal()

    @cached_property
    def publisher(self) -> NatsEventPublisher:
        encoder = EventEncoder(SOURCE, self.settings.events)
        return NatsEventPublisher(self.settings.nats, self.portal, encoder=encoder)

    @cached_property
    def history(self) -> NatsEventHistory:
        settings = self.settings
        by_subject = readers(
            phases=settings.phase_roles,
            default_roles=settings.default_roles,
            max_bytes=settings.max_message_bytes,
            limits=settings.policy.limits,
        )
        return NatsEventHistory(settings.nats, self.portal, readers=by_subject, durables=settings.bridge.durables)

    @cached_property
    def meter(self) -> PrometheusMeter:
        return PrometheusMeter(self._registry or CollectorRegistry())

    @cached_property
    def tracer(self) -> Tracer:
        return tracer_for(self.settings.otlp_endpoint, service="conclave")

    @cached_property
    def model(self) -> TracedChatModel:
        # OpenAI's client takes a third of a second to import: only processes that may call models pay for it.
        from workers.adapters.openai.chat_model import OpenAIChatModel

        own = self._own or engine_of(self.settings)
        model = OpenAIChatModel(
            self.engines,
            self.portal,
            own=own.record,
            observe=_both(own.observe, self.meter.called),
            api_key=key_of(self.settings),
            max_answer_bytes=self.settings.engine.max_answer_bytes,
        )
        return TracedChatModel(model, self.tracer)

    @cached_property
    def checks(self) -> IsolatedChecks:
        return IsolatedChecks(check_points(without=self.settings.checks.left_out), self.settings.checks)

    def dispatcher(self, app: Celery) -> CeleryDispatcher:
        """Return a dispatcher that queues work on `app`'s broker."""
        return CeleryDispatcher(app, self.plans)

    def services(self, app: Celery) -> Services:
        """Return all ports together, work being queued on `app`'s broker."""
        return Services(
            clock=self.clock,
            continuity=self.continuity,
            councils=self.councils,
            plans=self.plans,
            places=self.places,
            deliberations=self.deliberations,
            verdicts=self.verdicts,
            outbox=self.outbox,
            publisher=self.publisher,
            history=self.history,
            dispatcher=self.dispatcher(app),
            model=self.model,
            engines=self.engines,
            parking=self.parking,
            meter=self.meter,
            tracer=self.tracer,
            checks=self.checks,
            policy=self.settings.effective_policy,
            prices=self.settings.price_list,
            redeliberation=self.settings.redeliberation,
        )


def engine_of(settings: Settings) -> PinnedEngine:
    """Describe the engine that a model worker on these settings is pinned to; nothing starts."""
    spec = EngineSpec.of(settings.engine, model=settings.model)
    return PinnedEngine(
        spec, lambda: StorePorts(settings).engines, ready_check=_ready_check(spec), clock=SystemClock()
    )


def _ready_check(spec: EngineSpec) -> ReadyCheck:
    def check(record: EngineRecord, within_s: float) -> EngineRecord:
        # As for the model: only a worker that has an engine pays for OpenAI's client.
        from workers.adapters.openai.ready_check import OpenAIReadyCheck

        chosen = spec.thinking_switch is not None
        return OpenAIReadyCheck(api_key=spec.key.get_secret_value(), switch_chosen=chosen)(record, within_s)

    return check


def _both(*listeners: Callable[[ChatOutcome], None]) -> Callable[[ChatOutcome], None]:
    def observe(outcome: ChatOutcome) -> None:
        for listener in listeners:
            listener(outcome)

    return observe


def key_of(settings: Settings) -> Callable[[EngineRecord], str | None]:
    """Return which key an engine is shown: ours need none, another's gets its own; None for one not to be called.

    A record is what anyone who writes to the store says: it must draw neither keys nor prompts to an address that
    no setting names.
    """
    keys = settings.engine_keys

    def key(record: EngineRecord) -> str | None:
        return keys.get(record.url.rstrip("/")) if record.kind is EngineKind.EXTERNAL else ""

    return key
