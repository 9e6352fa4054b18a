"""Standing orders: taken in only where they can be followed, and followed once each time."""

from __future__ import annotations

from domain.errors import CannotRepeat, CannotSchedule
from domain.ports.schedule import Schedule
from domain.schedule import ScheduledRedeliberation
from domain.services import Services
from domain.steps.redeliberate import redeliberate


def schedule_redeliberation(standing: ScheduledRedeliberation, schedule: Schedule, services: Services) -> None:
    """Keep a standing order, in place of an earlier one of its name.

    Raises CannotStand for a plan that is unknown or was never asked of the role, and for a role without a
    council; InvalidCron for a time that never comes.
    """
    asked = _asked(standing.plan_id, services)
    if not asked:
        raise CannotSchedule(f"no plan {standing.plan_id}; approve it first, or see `conclave deliberation list`")
    if standing.role not in asked:
        roles = ", ".join(sorted(asked))
        raise CannotSchedule(
            f"plan {standing.plan_id} was never asked of role {standing.role} (it was of: {roles})"
        )
    councils = [council.role for council in services.councils.all()]
    if standing.role not in councils:
        there_are = ", ".join(councils) or "none"
        raise CannotSchedule(
            f"no council for role {standing.role}: apply one with `conclave council apply FILE`"
            f" (there are: {there_are})"
        )
    schedule.put(standing)


def run_scheduled(plan_id: str, role: str, services: Services, *, ordered_at: float) -> str:
    """Repeat the newest deliberation of a plan's role; return the new id.

    One that was opened since `ordered_at` (epoch seconds) is taken for this order's own: an order delivered
    twice, or a backlog of orders, opens one. Raises CannotRepeat with a sentence for the log.
    """
    for deliberation_id in services.index.of_plan(plan_id):
        newest = services.deliberations.load(deliberation_id).deliberation
        if newest.role == role:
            if newest.opened_at >= ordered_at:
                return deliberation_id
            return redeliberate(deliberation_id, services)
    raise CannotRepeat(f"plan {plan_id} has no deliberation of role {role}; approve it, or remove its schedule")


def _asked(plan_id: str, services: Services) -> set[str]:
    """Return the roles of the plan's deliberations, and those that its latest approval will open."""
    deliberations = services.index.of_plan(plan_id)
    roles = {services.deliberations.load(one).deliberation.role for one in deliberations}
    try:
        return roles | set(services.plans.latest(plan_id).plan.roles)
    except LookupError:
        return roles
