"""From an accepted plan to one deliberation per role: running, or ended at once where no council is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from domain import events
from domain.contract_rows import RoleFailed, RoleStarted
from domain.council import council_of, no_council
from domain.deliberation import Deliberation
from domain.event import Event
from domain.opening import open_deliberation, refuse
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.engine_directory import EngineDirectory
from domain.ports.event_publisher import EventPublisher
from domain.ports.meter import Meter
from domain.ports.outbox import Outbox
from domain.ports.plan_store import PlanStore
from domain.steps.announce import tell
from domain.steps.ending import end_deliberation
from domain.steps.opening import start


def dispatch_plan(
    request: PlanRequest,
    *,
    plans: PlanStore,
    councils: CouncilRegistry,
    deliberations: DeliberationStore,
    engines: EngineDirectory,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    meter: Meter,
    clock: Clock,
    policy: Policy,
) -> Event:
    """Open and queue a deliberation for every role that has a council; return the event that says so.

    The deliberation of a role without a council fails at once, the others go on; a later approval of the plan
    opens one that supersedes it. Run again, it does again only what was left undone, and publishes nothing twice.
    """
    by_role = {council.role: council for council in councils.all()}
    refused = _refused_before(request, deliberations)
    opened = {} if by_role.keys() >= set(request.plan.roles) else _opened_before(request, deliberations)
    wanted = []
    served = {engine.model for engine in engines.all()}
    for role in request.plan.roles:
        now, supersedes = clock.now(), refused.get(role.casefold())
        council = council_of(role, by_role)
        if council and opened.get(role.casefold(), council.role) == council.role:
            others = [other for name, other in sorted(by_role.items()) if name != council.role]
            wanted.append(
                open_deliberation(request, council, others, policy, now=now, supersedes=supersedes, served=served)
            )
        else:
            name = opened.get(role.casefold(), role)
            reason = no_council(role, by_role)
            wanted.append(refuse(request, name, reason, policy, now=now, supersedes=supersedes))
    return _start_and_answer(
        request,
        wanted,
        plans=plans,
        deliberations=deliberations,
        outbox=outbox,
        publisher=publisher,
        dispatcher=dispatcher,
        meter=meter,
        clock=clock,
    )


def give_up_dispatch(
    request_id: str,
    reason: str,
    *,
    plans: PlanStore,
    deliberations: DeliberationStore,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    meter: Meter,
    clock: Clock,
    policy: Policy,
) -> None:
    """End the plan's roles that were not opened, with that reason, and ask no more. Those that were go on."""
    request = plans.load(request_id)
    opened = _opened_before(request, deliberations)
    roles = [opened.get(role.casefold(), role) for role in request.plan.roles]
    wanted = [refuse(request, role, reason, policy, now=clock.now()) for role in roles]
    _start_and_answer(
        request,
        wanted,
        plans=plans,
        deliberations=deliberations,
        outbox=outbox,
        publisher=publisher,
        dispatcher=dispatcher,
        meter=meter,
        clock=clock,
    )


def _start_and_answer(
    request: PlanRequest,
    wanted: Sequence[Deliberation],
    *,
    plans: PlanStore,
    deliberations: DeliberationStore,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    meter: Meter,
    clock: Clock,
) -> Event:
    """Start what is wanted, end what was refused, and answer the approval by what stands."""
    standing, told = start(wanted, deliberations=deliberations, publisher=publisher, dispatcher=dispatcher)
    ends = []
    for refused in standing:
        if refused.refusal:
            end = _end_refused(refused.deliberation_id, deliberations=deliberations, meter=meter, clock=clock)
            ends += [] if end is None else [end]
    dispatched = events.dispatched(
        request,
        at=clock.now(),
        started=[
            RoleStarted(role=one.role, deliberation_id=one.deliberation_id) for one in standing if not one.refusal
        ],
        failed=[
            RoleFailed(role=one.role, deliberation_id=one.deliberation_id, reason=one.refusal)
            for one in standing
            if one.refusal
        ],
    )
    rest = [*ends, *outbox.put([dispatched])]
    plans.mark_dispatched(request.request_id)
    told += rest if tell(rest, publisher=publisher) else []
    outbox.published([event.event_id for event in told])
    return dispatched


def _end_refused(
    deliberation_id: str, *, deliberations: DeliberationStore, meter: Meter, clock: Clock
) -> Event | None:
    record = deliberations.load(deliberation_id)
    at = max(clock.now(), record.progress_at)
    body = events.failed_body(record.deliberation, at=at, reason=record.deliberation.refusal, failures=())
    return end_deliberation(record, body, deliberations=deliberations, meter=meter)


def _refused_before(request: PlanRequest, deliberations: DeliberationStore) -> dict[str, str]:
    """Return role, case-folded → id of its newest deliberation on another approval, where that was refused."""
    newest: dict[str, Deliberation] = {}
    asked = {role.casefold() for role in request.plan.roles}
    for earlier in _of_plan(request, deliberations):
        if earlier.request_id != request.request_id:
            newest.setdefault(earlier.role.casefold(), earlier)
        if newest.keys() >= asked:
            break
    return {role: earlier.deliberation_id for role, earlier in newest.items() if earlier.refusal}


def _opened_before(request: PlanRequest, deliberations: DeliberationStore) -> dict[str, str]:
    """Return role, case-folded → role as an earlier run of this dispatch opened it.

    Its deliberation's id is made of that spelling, so that a council that came or went since opens no second one.
    """
    earlier = _of_plan(request, deliberations)
    return {one.role.casefold(): one.role for one in earlier if one.request_id == request.request_id}


def _of_plan(request: PlanRequest, deliberations: DeliberationStore) -> Iterator[Deliberation]:
    """Yield the deliberations on every approval of the plan, newest first."""
    for deliberation_id in deliberations.of_plan(request.plan.plan_id):
        with suppress(LookupError):  # past retention since the index was read
            yield deliberations.load(deliberation_id).deliberation
