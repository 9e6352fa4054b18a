"""The ports that the steps work with, handed in by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from domain.checks.check import Check
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_index import DeliberationIndex
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.engine_directory import EngineDirectory
from domain.ports.event_publisher import EventPublisher
from domain.ports.meter import Meter
from domain.ports.outbox import Outbox
from domain.ports.plan_backlog import PlanBacklog
from domain.ports.plan_store import PlanStore
from domain.ports.tally import Tally
from domain.ports.tracer import Tracer
from domain.redeliberation import RedeliberationPolicy


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything a step may use, and the operator's policy."""

    clock: Clock
    councils: CouncilRegistry
    plans: PlanStore
    backlog: PlanBacklog
    deliberations: DeliberationStore
    index: DeliberationIndex
    outbox: Outbox
    tally: Tally
    publisher: EventPublisher
    dispatcher: Dispatcher
    model: ChatModel
    engines: EngineDirectory
    meter: Meter
    tracer: Tracer
    checks: tuple[Check, ...]
    policy: Policy
    redeliberation: RedeliberationPolicy
