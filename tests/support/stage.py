"""The domain's steps over memory adapters: everything real but time, the models and the queue."""

from __future__ import annotations

from collections.abc import Sequence

from domain.checks.check import Check
from domain.council import Council
from domain.deliberation import Deliberation
from domain.errors import PublishFailed, PublishRefused
from domain.event import Event
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.record import Record
from domain.redeliberation import RedeliberationPolicy
from domain.services import Services
from domain.steps.conclude import conclude_deliberation
from domain.steps.dispatch import dispatch_plan
from domain.steps.generate import generate_proposal
from tests.support.factories import plan_request
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.council_registry import MemoryCouncilRegistry
from tests.support.in_memory.deliberation_index import MemoryDeliberationIndex
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.in_memory.meter import MemoryMeter
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.in_memory.plan_store import MemoryPlanStore
from tests.support.scripted_model import ScriptedModel
from workers.tracing.silent import SilentTracer


class Queued:
    """A Dispatcher that keeps what was queued."""

    def __init__(self) -> None:
        self.requests: list[PlanRequest] = []
        self.work: list[tuple[str, tuple[str, ...]]] = []
        self.withdrawn: list[str] = []

    def plans(self, requests: Sequence[PlanRequest]) -> None:
        self.requests.extend(requests)

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        self.work.append((deliberation.deliberation_id, tuple(unanswered)))

    def withdraw(self, deliberation: Deliberation) -> None:
        self.withdrawn.append(deliberation.deliberation_id)


class Told:
    """An EventPublisher that keeps what was published, can be away, and takes what is in `refused` never."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.told: list[Event] = []
        self.away = False
        self.refused: set[str] = set()

    def publish(self, events: Sequence[Event]) -> None:
        if self.away:
            raise PublishFailed("scripted outage")
        for event in events:
            if event.event_id in self.refused:
                raise PublishRefused("scripted: too large", event.event_id)
        self.published.extend(events)

    def publish_progress(self, events: Sequence[Event]) -> None:
        self.told.extend(events)

    def of_type(self, event_type: str) -> list[Event]:
        return [event for event in self.published if event.event_type == event_type]


class Stage:
    """Councils are put on, plans are played, and everything that happened can be looked at."""

    def __init__(
        self,
        *councils: Council,
        policy: Policy | None = None,
        checks: tuple[Check, ...] = (),
        rules: RedeliberationPolicy | None = None,
    ) -> None:
        self.clock = MemoryClock()
        self.queue = Queued()
        self.news = Told()
        self.model = ScriptedModel()
        self.meter = MemoryMeter()
        self.outbox = MemoryOutbox(clock=self.clock)
        plans = MemoryPlanStore(clock=self.clock)
        store = MemoryDeliberationStore(clock=self.clock, outbox=self.outbox)
        self.services = Services(
            clock=self.clock,
            councils=MemoryCouncilRegistry(),
            plans=plans,
            backlog=plans,
            deliberations=store,
            index=MemoryDeliberationIndex(store),
            outbox=self.outbox,
            tally=store,
            publisher=self.news,
            dispatcher=self.queue,
            model=self.model,
            engines=MemoryEngineDirectory(clock=self.clock),
            meter=self.meter,
            tracer=SilentTracer(),
            checks=checks,
            policy=policy or Policy(model="tiny"),
            redeliberation=rules or RedeliberationPolicy(),
        )
        for council in councils:
            self.services.councils.save(council)

    def approve(self, request: PlanRequest | None = None) -> PlanRequest:
        """Accept a plan and dispatch it."""
        accepted = request or plan_request()
        self.services.plans.save([accepted])
        dispatch_plan(accepted.request_id, self.services)
        return accepted

    def open(self, request: PlanRequest | None = None) -> str:
        """Approve a plan of one role and return its deliberation's id."""
        self.approve(request)
        return self.queue.work[-1][0]

    def propose(self, deliberation_id: str) -> None:
        """Run every agent's proposal."""
        for agent in self.record(deliberation_id).deliberation.agents:
            generate_proposal(deliberation_id, agent.agent_id, self.services)

    def play(self, request: PlanRequest | None = None) -> Record:
        """Run one deliberation from approval to its end."""
        deliberation_id = self.open(request)
        self.propose(deliberation_id)
        conclude_deliberation(deliberation_id, self.services)
        return self.record(deliberation_id)

    def record(self, deliberation_id: str) -> Record:
        return self.services.deliberations.load(deliberation_id)
