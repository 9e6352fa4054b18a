"""From an accepted plan to one running deliberation per role."""

from __future__ import annotations

from domain import events
from domain.council import Council
from domain.deliberation import Deliberation
from domain.entry import Opened
from domain.event import Event
from domain.identity import deliberation_id
from domain.opening import open_deliberation
from domain.plan import PlanRequest
from domain.services import Services
from domain.steps.announce import announce


def dispatch_plan(request_id: str, services: Services) -> Event:
    """Open and queue a deliberation for every role that has a council; return the event that says so.

    A role without a council gets its failed event at once, the others go on. Run again, it does again only what
    was left undone, and tells the world nothing twice. Raises LookupError if the request is not in the plan store.
    """
    request = services.plans.load(request_id)
    councils = {council.role: council for council in services.councils.all()}
    news: list[Event] = []
    started: list[dict[str, str]] = []
    failed: list[dict[str, str]] = []
    for role in request.plan.roles:
        identity = deliberation_id(request.plan.plan_id, role, request.revision)
        if role in councils:
            start(_settle(request, councils[role], councils, services), services)
            started.append({"role": role, "deliberation_id": identity})
        else:
            reason = _no_council(role, councils)
            at = services.clock.now()
            news.append(events.role_failed(request, role, identity, at=at, reason=reason))
            failed.append({"role": role, "deliberation_id": identity, "reason": reason})
    dispatched = events.dispatched(request, at=services.clock.now(), started=started, failed=failed)
    fresh = services.outbox.put([*news, dispatched])
    services.backlog.settle(request_id)
    announce(fresh, services)
    return dispatched


def give_up_dispatch(request_id: str, reason: str, services: Services) -> None:
    """Tell that a plan's roles could not be asked, and ask no more. Roles that were opened go on."""
    request = services.plans.load(request_id)
    news, failed = [], []
    at = services.clock.now()
    for role in request.plan.roles:
        identity = deliberation_id(request.plan.plan_id, role, request.revision)
        news.append(events.role_failed(request, role, identity, at=at, reason=reason))
        failed.append({"role": role, "deliberation_id": identity, "reason": reason})
    news.append(events.dispatched(request, at=at, started=[], failed=failed))
    fresh = services.outbox.put(news)
    services.backlog.settle(request_id)
    announce(fresh, services)


def start(proposed: Deliberation, services: Services) -> bool:
    """Open the deliberation and queue its work; False if it was opened before.

    What an earlier run opened and died before queueing is the sweep's to find: queueing it again here would
    double the model calls of every approval that is delivered twice.
    """
    news = [events.started(proposed)]
    entry = services.deliberations.record(proposed.deliberation_id, Opened(deliberation=proposed), events=news)
    if entry != Opened(deliberation=proposed):  # another run's, with its own opening time
        return False
    services.dispatcher.deliberation(proposed, [agent.agent_id for agent in proposed.agents])
    announce(news, services)
    return True


def _settle(
    request: PlanRequest, council: Council, councils: dict[str, Council], services: Services
) -> Deliberation:
    others = [other for role, other in sorted(councils.items()) if role != council.role]
    return open_deliberation(request, council, others, services.policy, now=services.clock.now())


def _no_council(role: str, councils: dict[str, Council]) -> str:
    known = ", ".join(sorted(councils)) or "none"
    return f"no council for role {role}: apply one with `conclave council apply FILE` (there are: {known})"
