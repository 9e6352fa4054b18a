"""The domain's steps over memory adapters: everything real but time, the models and the queue."""

from __future__ import annotations

from domain.checks.check import Check
from domain.checks.runner import InProcess
from domain.contract import CompletedBody
from domain.council import Council
from domain.engine import EngineKind, EngineRecord, Guidance
from domain.engine_wait import EngineWait
from domain.entry import AgentFailed, Proposed
from domain.event import Event
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.ports.schedule import Schedule
from domain.prices import PriceList
from domain.record import Record
from domain.redeliberation import AS_IT_IS, RedeliberationPolicy, RepeatChoice
from domain.schedule import ScheduledRedeliberation
from domain.services import Services
from domain.steps.announce import flush_outbox
from domain.steps.cancel import cancel_deliberation
from domain.steps.conclude import conclude_deliberation
from domain.steps.dispatch import dispatch_plan, give_up_dispatch
from domain.steps.generate import generate_proposal
from domain.steps.judge import judge_decision, settle_overdue
from domain.steps.redeliberate import apply_rules, redeliberate
from domain.steps.scheduled import run_scheduled, schedule_redeliberation
from domain.steps.sweep import sweep
from domain.verdict import SaidVerdict, Verdict
from tests.support.factories import plan_request
from tests.support.in_memory.access_token_store import MemoryAccessTokenStore
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.continuity import MemoryContinuity
from tests.support.in_memory.council_registry import MemoryCouncilRegistry
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.dispatcher import MemoryDispatcher
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.in_memory.event_history import MemoryEventHistory
from tests.support.in_memory.event_publisher import MemoryEventPublisher
from tests.support.in_memory.meter import MemoryMeter
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.in_memory.parking import MemoryParking
from tests.support.in_memory.plan_places import MemoryPlanPlaces
from tests.support.in_memory.plan_store import MemoryPlanStore
from tests.support.in_memory.verdict_store import MemoryVerdictStore
from tests.support.scripted_model import ScriptedModel
from workers.tracing.silent import SilentTracer


class Stage:
    """Councils are put on, plans are played, and everything that happened can be looked at."""

    def __init__(
        self,
        *councils: Council,
        policy: Policy | None = None,
        checks: tuple[Check, ...] = (),
        rules: RedeliberationPolicy | None = None,
        places: int = 0,
        prices: PriceList | None = None,
    ) -> None:
        self.clock = MemoryClock()
        self.queue = MemoryDispatcher()
        self.news = MemoryEventPublisher()
        self.model = ScriptedModel()
        self.meter = MemoryMeter()
        self.continuity = MemoryContinuity()
        self.history = MemoryEventHistory()
        self.access_tokens = MemoryAccessTokenStore()
        self.outbox = MemoryOutbox(clock=self.clock)
        deliberations = MemoryDeliberationStore(clock=self.clock, outbox=self.outbox)
        plans = MemoryPlanStore(clock=self.clock)
        self.services = Services(
            clock=self.clock,
            continuity=self.continuity,
            history=self.history,
            councils=MemoryCouncilRegistry(),
            plans=plans,
            places=MemoryPlanPlaces(limit=places, clock=self.clock, plans=plans, deliberations=deliberations),
            deliberations=deliberations,
            verdicts=MemoryVerdictStore(deliberations=deliberations, outbox=self.outbox),
            outbox=self.outbox,
            publisher=self.news,
            dispatcher=self.queue,
            model=self.model,
            engines=MemoryEngineDirectory(clock=self.clock),
            parking=MemoryParking(),
            meter=self.meter,
            tracer=SilentTracer(),
            checks=InProcess(checks),
            policy=policy or Policy(model="tiny"),
            prices=prices or PriceList(),
            redeliberation=rules or RedeliberationPolicy(),
        )
        for council in councils:
            self.services.councils.save(council)
            self.lend(council)

    def lend(self, council: Council) -> None:
        """Let the models of a council be served, so that it can lend judges."""
        for model in {agent.model or self.services.policy.model for agent in council.agents}:
            record = EngineRecord(
                name=model, model=model, url="http://e/v1", kind=EngineKind.VLLM, guidance=Guidance.REGEX
            )
            self.services.engines.publish(record, ttl_s=1e12)

    def approve(self, request: PlanRequest | None = None) -> PlanRequest:
        """Accept a plan and dispatch it."""
        accepted = request or plan_request()
        self.services.plans.save([accepted])
        self.dispatch(accepted.request_id)
        return accepted

    def open(self, request: PlanRequest | None = None) -> str:
        """Approve a plan of one role and return its deliberation's id."""
        self.approve(request)
        return self.queue.work[-1][0]

    def propose(self, deliberation_id: str) -> None:
        """Run every agent's proposal."""
        for agent in self.record(deliberation_id).deliberation.agents:
            self.generate(deliberation_id, agent.agent_id)

    def play(self, request: PlanRequest | None = None) -> Record:
        """Run one deliberation from approval to its end."""
        deliberation_id = self.open(request)
        self.propose(deliberation_id)
        conclude_deliberation(deliberation_id, self.services)
        return self.record(deliberation_id)

    def record(self, deliberation_id: str) -> Record:
        return self.services.deliberations.load(deliberation_id)

    def dispatch(self, request_id: str) -> Event:
        return dispatch_plan(
            self.services.plans.load(request_id),
            plans=self.services.plans,
            councils=self.services.councils,
            engines=self.services.engines,
            deliberations=self.services.deliberations,
            outbox=self.outbox,
            publisher=self.news,
            dispatcher=self.queue,
            meter=self.meter,
            clock=self.clock,
            policy=self.services.policy,
        )

    def give_up(self, request_id: str, reason: str) -> None:
        give_up_dispatch(
            request_id,
            reason,
            plans=self.services.plans,
            deliberations=self.services.deliberations,
            outbox=self.outbox,
            publisher=self.news,
            dispatcher=self.queue,
            meter=self.meter,
            clock=self.clock,
            policy=self.services.policy,
        )

    def generate(
        self, deliberation_id: str, agent_id: str, waited: EngineWait | None = None
    ) -> Proposed | AgentFailed | None:
        return generate_proposal(
            deliberation_id,
            agent_id,
            deliberations=self.services.deliberations,
            model=self.model,
            publisher=self.news,
            clock=self.clock,
            policy=self.services.policy,
            waited=waited,
        )

    def flush(self) -> int:
        return flush_outbox(outbox=self.outbox, publisher=self.news, clock=self.clock)

    def sweep(self) -> int:
        """Sweep as beat has it done, again and again without a gap."""
        before = self.clock.now() - self.services.policy.sweep_after_s
        self.services.deliberations.begin_sweep(before, gap_s=1e12)
        return self.sweep_once()

    def sweep_once(self) -> int:
        return sweep(
            plans=self.services.plans,
            deliberations=self.services.deliberations,
            engines=self.services.engines,
            dispatcher=self.queue,
            clock=self.clock,
            policy=self.services.policy,
        )

    def cancel(self, deliberation_id: str, reason: str) -> bool:
        return cancel_deliberation(
            deliberation_id,
            reason,
            deliberations=self.services.deliberations,
            outbox=self.outbox,
            publisher=self.news,
            meter=self.meter,
            clock=self.clock,
            prices=self.services.prices,
        )

    def judge(self, said: SaidVerdict) -> Verdict:
        return judge_decision(
            said,
            deliberations=self.services.deliberations,
            verdicts=self.services.verdicts,
            continuity=self.continuity,
            outbox=self.outbox,
            publisher=self.news,
            clock=self.clock,
        )

    def settle_overdue(self) -> int:
        return settle_overdue(
            deliberations=self.services.deliberations,
            verdicts=self.services.verdicts,
            outbox=self.outbox,
            publisher=self.news,
            clock=self.clock,
        )

    def redeliberate(self, deliberation_id: str, choice: RepeatChoice = AS_IT_IS) -> str:
        return redeliberate(
            deliberation_id,
            deliberations=self.services.deliberations,
            councils=self.services.councils,
            engines=self.services.engines,
            outbox=self.outbox,
            publisher=self.news,
            dispatcher=self.queue,
            clock=self.clock,
            policy=self.services.policy,
            redeliberation=self.services.redeliberation,
            choice=choice,
        )

    def apply_rules(self) -> tuple[str, ...]:
        return apply_rules(
            deliberations=self.services.deliberations,
            councils=self.services.councils,
            engines=self.services.engines,
            outbox=self.outbox,
            publisher=self.news,
            dispatcher=self.queue,
            clock=self.clock,
            policy=self.services.policy,
            redeliberation=self.services.redeliberation,
        )

    def schedule(self, scheduled: ScheduledRedeliberation, schedule: Schedule) -> None:
        schedule_redeliberation(
            scheduled,
            schedule=schedule,
            plans=self.services.plans,
            deliberations=self.services.deliberations,
            councils=self.services.councils,
        )

    def run_scheduled(self, plan_id: str, role: str, *, due_at: float) -> str:
        return run_scheduled(
            plan_id,
            role,
            due_at=due_at,
            deliberations=self.services.deliberations,
            councils=self.services.councils,
            engines=self.services.engines,
            outbox=self.outbox,
            publisher=self.news,
            dispatcher=self.queue,
            clock=self.clock,
            policy=self.services.policy,
            redeliberation=self.services.redeliberation,
        )


def decision_of(record: Record) -> CompletedBody:
    """Return what was decided; fails for a deliberation without a decision."""
    assert record.closed is not None
    assert record.closed.decision is not None, record.closed.reason
    return record.closed.decision
