"""All ports of one process together, made by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from domain.checks.runner import CheckRunner
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.ports.clock import Clock
from domain.ports.continuity import Continuity
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.engine_directory import EngineDirectory
from domain.ports.event_history import EventHistory
from domain.ports.event_publisher import EventPublisher
from domain.ports.meter import Meter
from domain.ports.outbox import Outbox
from domain.ports.parking import Parking
from domain.ports.plan_places import PlanPlaces
from domain.ports.plan_store import PlanStore
from domain.ports.tracer import Tracer
from domain.ports.verdict_store import VerdictStore
from domain.prices import PriceList
from domain.redeliberation import RedeliberationPolicy


@dataclass(frozen=True, kw_only=True)
class Services:
    """Every port that a step may use, and the operator's policy.

    A step names the ports it uses as keyword-only arguments, under the names that they have here; only concluding
    takes the bundle.
    """

    clock: Clock
    continuity: Continuity
    councils: CouncilRegistry
    plans: PlanStore
    places: PlanPlaces
    deliberations: DeliberationStore
    verdicts: VerdictStore
    outbox: Outbox
    publisher: EventPublisher
    history: EventHistory
    dispatcher: Dispatcher
    model: ChatModel
    engines: EngineDirectory
    parking: Parking
    meter: Meter
    tracer: Tracer
    checks: CheckRunner
    policy: Policy
    prices: PriceList
    redeliberation: RedeliberationPolicy
