"""From an accepted plan to one running deliberation per role."""

from __future__ import annotations

from collections.abc import Mapping

from domain import events
from domain.contract_rows import RoleFailed, RoleStarted
from domain.council import Council
from domain.deliberation import Deliberation
from domain.entry import Opened
from domain.event import Event
from domain.identity import deliberation_id
from domain.opening import open_deliberation
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.event_publisher import EventPublisher
from domain.ports.outbox import Outbox
from domain.ports.plan_store import PlanStore
from domain.steps.announce import announce


def dispatch_plan(
    request_id: str,
    *,
    plans: PlanStore,
    councils: CouncilRegistry,
    deliberations: DeliberationStore,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    clock: Clock,
    policy: Policy,
) -> Event:
    """Open and queue a deliberation for every role that has a council; return the event that says so.

    A role without a council gets its failed event at once, the others go on. Run again, it does again only what
    was left undone, and publishes nothing twice. Raises LookupError if the request is not in the plan store.
    """
    request = plans.load(request_id)
    by_role = {council.role: council for council in councils.all()}
    role_events: list[Event] = []
    started: list[RoleStarted] = []
    failed: list[RoleFailed] = []
    for role in request.plan.roles:
        identity = deliberation_id(request.plan.plan_id, role, request.revision)
        if role in by_role:
            deliberation = _opened(request, role, by_role, policy=policy, now=clock.now())
            start(
                deliberation,
                deliberations=deliberations,
                outbox=outbox,
                publisher=publisher,
                dispatcher=dispatcher,
            )
            started.append(RoleStarted(role=role, deliberation_id=identity))
        else:
            failed.append(RoleFailed(role=role, deliberation_id=identity, reason=_no_council(role, by_role)))
            role_events.append(events.role_failed(request, failed[-1], at=clock.now()))
    dispatched = events.dispatched(request, at=clock.now(), started=started, failed=failed)
    new = outbox.put([*role_events, dispatched])
    plans.mark_dispatched(request_id)
    announce(new, outbox=outbox, publisher=publisher)
    return dispatched


def give_up_dispatch(
    request_id: str, reason: str, *, plans: PlanStore, outbox: Outbox, publisher: EventPublisher, clock: Clock
) -> None:
    """Publish that a plan's roles could not be asked, and ask no more. Roles that were opened go on."""
    request = plans.load(request_id)
    at = clock.now()
    failed = [
        RoleFailed(
            role=role,
            deliberation_id=deliberation_id(request.plan.plan_id, role, request.revision),
            reason=reason,
        )
        for role in request.plan.roles
    ]
    role_events = [events.role_failed(request, role, at=at) for role in failed]
    new = outbox.put([*role_events, events.dispatched(request, at=at, started=[], failed=failed)])
    plans.mark_dispatched(request_id)
    announce(new, outbox=outbox, publisher=publisher)


def start(
    deliberation: Deliberation,
    *,
    deliberations: DeliberationStore,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
) -> bool:
    """Open the deliberation and queue its work; False if it was opened before.

    What an earlier run opened and died before queueing is the sweep's to find: queueing it again here would
    double the model calls of every approval that is delivered twice.
    """
    opened, started = Opened(deliberation=deliberation), [events.started(deliberation)]
    if deliberations.record(deliberation.deliberation_id, opened, events=started) != opened:
        return False  # the entry is another run's, with its own opening time
    dispatcher.deliberation(deliberation, [agent.agent_id for agent in deliberation.agents])
    announce(started, outbox=outbox, publisher=publisher)
    return True


def _opened(
    request: PlanRequest, role: str, councils: Mapping[str, Council], *, policy: Policy, now: float
) -> Deliberation:
    others = [council for name, council in sorted(councils.items()) if name != role]
    return open_deliberation(request, councils[role], others, policy, now=now)


def _no_council(role: str, councils: Mapping[str, Council]) -> str:
    roles = ", ".join(sorted(councils)) or "none"
    return f"no council for role {role}: apply one with `conclave council apply FILE` (there are: {roles})"
