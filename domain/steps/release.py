"""Let go what was parked, once the cause is gone."""

from __future__ import annotations

from domain.errors import CannotRepeat
from domain.parked import Parked
from domain.policy import Policy
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.engine_directory import EngineDirectory
from domain.ports.event_publisher import EventPublisher
from domain.ports.outbox import Outbox
from domain.ports.parking import Parking
from domain.ports.plan_store import PlanStore
from domain.redeliberation import RedeliberationPolicy
from domain.steps.redeliberate import redeliberate


def release_parked(
    parked_id: str,
    *,
    parking: Parking,
    plans: PlanStore,
    deliberations: DeliberationStore,
    councils: CouncilRegistry,
    engines: EngineDirectory,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    clock: Clock,
    policy: Policy,
    redeliberation: RedeliberationPolicy,
) -> tuple[str, ...]:
    """Put a message back into its queue as it was; where a task was parked, deliberate anew.

    Returns the ids of the new deliberations; none for a message. A message that no worker can take in is parked
    again. Raises LookupError where nothing of that id is parked or its plan is past retention, and CannotRepeat;
    it stays parked then.
    """
    parked = parked_of(parked_id, parking)
    if parked.message:
        parking.requeue(parked_id)
        return ()
    following = tuple(
        redeliberate(
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
        for deliberation_id in _ended_by(parked, plans, deliberations)
    )
    parking.drop(parked_id)
    return following


def parked_of(parked_id: str, parking: Parking) -> Parked:
    """Return what is parked under that id. Raises LookupError."""
    for parked in parking.all():
        if parked.parked_id == parked_id:
            return parked
    raise LookupError(f"nothing is parked as {parked_id}")


def _ended_by(parked: Parked, plans: PlanStore, deliberations: DeliberationStore) -> list[str]:
    """Name what ended, or went on without an answer, because this task was parked."""
    if parked.task != "plan.dispatch":
        return [parked.subject]
    request = plans.load(parked.subject)
    opened = [deliberations.load(one).deliberation for one in deliberations.of_plan(request.plan.plan_id)]
    ended = [one.deliberation_id for one in opened if one.request_id == parked.subject]
    if not ended:
        raise CannotRepeat(
            f"{parked.subject} opened no deliberation; approve the plan again, then drop {parked.parked_id}"
        )
    return ended
