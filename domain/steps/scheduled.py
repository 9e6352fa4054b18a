"""Scheduled re-deliberations: kept only where they can be run, and run once each time."""

from __future__ import annotations

from domain.council import council_of, no_council
from domain.errors import CannotRepeat, CannotSchedule
from domain.policy import Policy
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.engine_directory import EngineDirectory
from domain.ports.event_publisher import EventPublisher
from domain.ports.outbox import Outbox
from domain.ports.plan_store import PlanStore
from domain.ports.schedule import Schedule
from domain.redeliberation import RedeliberationPolicy
from domain.schedule import ScheduledRedeliberation
from domain.steps.redeliberate import redeliberate


def schedule_redeliberation(
    scheduled: ScheduledRedeliberation,
    *,
    schedule: Schedule,
    plans: PlanStore,
    deliberations: DeliberationStore,
    councils: CouncilRegistry,
) -> None:
    """Keep a scheduled re-deliberation under its council's spelling of the role, in place of one of its name.

    Raises CannotSchedule for a plan that is unknown or was never asked of the role, and for a role without a
    council; InvalidCron for a time that never comes.
    """
    plan_roles = _roles_of(scheduled.plan_id, plans=plans, deliberations=deliberations)
    if not plan_roles:
        raise CannotSchedule(f"no plan {scheduled.plan_id}; approve it first, or see `conclave deliberation list`")
    if scheduled.role.casefold() not in {role.casefold() for role in plan_roles}:
        roles = ", ".join(sorted(plan_roles))
        raise CannotSchedule(
            f"plan {scheduled.plan_id} was never asked of role {scheduled.role} (it was of: {roles})"
        )
    by_role = {council.role: council for council in councils.all()}
    council = council_of(scheduled.role, by_role)
    if council is None:
        raise CannotSchedule(no_council(scheduled.role, by_role))
    schedule.put(scheduled.model_copy(update={"role": council.role}))


def run_scheduled(
    plan_id: str,
    role: str,
    *,
    due_at: float,
    deliberations: DeliberationStore,
    councils: CouncilRegistry,
    engines: EngineDirectory,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    clock: Clock,
    policy: Policy,
    redeliberation: RedeliberationPolicy,
) -> str:
    """Repeat the newest deliberation of a plan's role; return the new id.

    One that was opened since `due_at` (epoch seconds) is taken for this run's own: a message delivered twice, or a
    queue full of them, opens one. Raises CannotRepeat with a sentence for the log.
    """
    for deliberation_id in deliberations.of_plan(plan_id):
        newest = deliberations.load(deliberation_id).deliberation
        if newest.role.casefold() != role.casefold():
            continue
        if newest.opened_at >= due_at:
            return deliberation_id
        return redeliberate(
            deliberation_id,
            deliberations=deliberations,
            councils=councils,
            engines=engines,
            outbox=outbox,
            publisher=publisher,
            dispatcher=dispatcher,
            clock=clock,
            policy=policy,
            redeliberation=redeliberation,
        )
    raise CannotRepeat(f"plan {plan_id} has no deliberation of role {role}; approve it, or remove its schedule")


def _roles_of(plan_id: str, *, plans: PlanStore, deliberations: DeliberationStore) -> set[str]:
    """Return the roles of the plan's deliberations, and those that its latest approval will open."""
    roles = {deliberations.load(identity).deliberation.role for identity in deliberations.of_plan(plan_id)}
    try:
        return roles | set(plans.latest(plan_id).plan.roles)
    except LookupError:
        return roles
