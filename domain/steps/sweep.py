"""Look after deliberations that stand still: re-queue what got lost, give up what nobody can serve."""

from __future__ import annotations

from domain.chat import FailureReason
from domain.deliberation import Deliberation
from domain.record import Record
from domain.services import Services
from domain.steps.generate import record_failure

AT_ONCE = 200
"""Deliberations per sweep; the rest are older by the next one and come first."""


def sweep(services: Services) -> int:
    """Queue plans again that were not dispatched within a lease, and repair every open deliberation without
    progress for as long; return how many of these there were.

    Running steps keep their deliberation fresh (`DeliberationIndex.touch`), so what is found here is either lost
    or waiting in a queue; queued again, the same task ids and write-once entries make the second run a no-op.
    Raises what the first of them raised, after all others were tended.
    """
    now = services.clock.now()
    for request_id in services.backlog.take_overdue(now - services.policy.lease_s, AT_ONCE):
        _offer_again(request_id, services)
    stale = services.index.open_untouched_since(now - services.policy.lease_s, AT_ONCE)
    errors = [error for one in stale if (error := _try_to_tend(one, now, services)) is not None]
    if errors:
        raise errors[0]
    return len(stale)


def _offer_again(request_id: str, services: Services) -> None:
    try:
        request = services.plans.load(request_id)
    except LookupError:  # past retention: nobody can dispatch it any more
        services.backlog.settle(request_id)
        return
    services.dispatcher.plans([request])


def _try_to_tend(deliberation_id: str, now: float, services: Services) -> Exception | None:
    """Tend one; what it raises must not keep the others from being tended."""
    try:
        _tend(services.deliberations.load(deliberation_id), now, services)
    except Exception as error:
        services.index.touch(deliberation_id, now)
        return error
    return None


def _tend(record: Record, now: float, services: Services) -> None:
    deliberation = record.deliberation
    if record.closed is not None:
        return
    for agent_id in record.unanswered():
        _give_up_on(deliberation, agent_id, now, services)
    left = services.deliberations.load(deliberation.deliberation_id).unanswered()
    services.dispatcher.deliberation(deliberation, left)
    services.index.touch(deliberation.deliberation_id, _look_again(deliberation, now, services.policy.lease_s))


def _look_again(deliberation: Deliberation, now: float, lease_s: float) -> float:
    """Return the moment to count from: what waits in a long queue is queued again ever more rarely."""
    age = now - deliberation.opened_at
    return min(now + max(0.0, age / 2 - lease_s), max(now, deliberation.deadline_at - lease_s))


def _give_up_on(deliberation: Deliberation, agent_id: str, now: float, services: Services) -> None:
    identity = deliberation.deliberation_id
    if now >= deliberation.deadline_at:
        detail = "the deliberation's deadline passed before the agent answered"
        record_failure(identity, agent_id, FailureReason.DEADLINE, detail, services)
        return
    model = deliberation.agent(agent_id).model or ""
    waited = now - deliberation.opened_at
    on_their_way = (engine.model for engine in services.engines.all())
    if waited >= services.policy.model_wait_s and model not in on_their_way:
        record_failure(identity, agent_id, FailureReason.NOT_SERVED, not_served(model, services), services)


def not_served(model: str, services: Services) -> str:
    """Say that nobody serves the model, and who serves what."""
    served = sorted({f"{engine.model} by {engine.name}" for engine in services.engines.all() if engine.ready})
    remedy = f"start one with `conclave worker --model {model}`"
    return f"no worker serves {model}: {remedy} (served now: {'; '.join(served) or 'nothing'})"
