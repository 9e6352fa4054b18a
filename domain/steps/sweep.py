"""Look after deliberations without progress: re-queue what got lost, give up what no worker serves."""

from __future__ import annotations

from domain.chat import FailureReason
from domain.deliberation import Deliberation
from domain.policy import Policy
from domain.ports.clock import Clock
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.engine_directory import EngineDirectory
from domain.ports.plan_store import PlanStore
from domain.steps.generate import NOT_ANSWERED, record_failure

AT_ONCE = 200
"""Deliberations per sweep; the rest are older by the next one and come first."""


def sweep(
    *,
    plans: PlanStore,
    deliberations: DeliberationStore,
    engines: EngineDirectory,
    dispatcher: Dispatcher,
    clock: Clock,
    policy: Policy,
) -> int:
    """Queue plans again that were not dispatched within `policy.sweep_after_s`, and repair every open deliberation
    that was untouched for as long; return how many of these there were.

    Running steps touch their deliberation (`DeliberationStore.touch`), so what is found here is either lost or
    waiting in a queue; queued again, the same task ids and write-once entries make the second run a no-op.
    When no sweep could begin for a while, because the store was away, silent or refused to write, no step could
    touch anything either: then this one does nothing, and the next ones wait until living steps had time to.
    Raises what the first of them raised, after all others were repaired.
    """
    now = clock.now()
    if now - deliberations.begin_sweep(now, gap_s=policy.sweep_after_s) < policy.sweep_after_s / 2:
        return 0
    for request_id in plans.take_overdue(now - policy.sweep_after_s, AT_ONCE):
        _dispatch_again(request_id, plans=plans, dispatcher=dispatcher)
    stale = deliberations.open_untouched_since(now - policy.sweep_after_s, AT_ONCE)
    errors: list[Exception] = []
    for deliberation_id in stale:
        try:
            _repair(
                deliberation_id,
                deliberations=deliberations,
                engines=engines,
                dispatcher=dispatcher,
                clock=clock,
                policy=policy,
            )
        except Exception as error:  # one that can't be repaired must not keep the others from it
            deliberations.touch(deliberation_id, now)
            errors.append(error)
    if errors:
        raise errors[0]
    return len(stale)


def _dispatch_again(request_id: str, *, plans: PlanStore, dispatcher: Dispatcher) -> None:
    try:
        request = plans.load(request_id)
    except LookupError:  # past retention: it can't be dispatched any more
        plans.mark_dispatched(request_id)
        return
    dispatcher.plans([request])


def _repair(
    deliberation_id: str,
    *,
    deliberations: DeliberationStore,
    engines: EngineDirectory,
    dispatcher: Dispatcher,
    clock: Clock,
    policy: Policy,
) -> None:
    """Record the failures of agents that will not answer, and queue the others and the conclusion again."""
    record = deliberations.load(deliberation_id)
    if record.closed is not None:
        return
    deliberation, now = record.deliberation, clock.now()
    for agent_id in record.unanswered():
        failure = _reason_to_give_up(deliberation, agent_id, engines=engines, policy=policy, now=now)
        if failure is not None:
            record_failure(deliberation_id, agent_id, *failure, deliberations=deliberations, clock=clock)
    dispatcher.deliberation(deliberation, deliberations.load(deliberation_id).unanswered())
    deliberations.touch(deliberation_id, _look_again_from(deliberation, now, policy.sweep_after_s))


def _look_again_from(deliberation: Deliberation, now: float, sweep_after_s: float) -> float:
    """Return the moment to count from: what waits in a long queue is queued again ever more rarely."""
    age = now - deliberation.opened_at
    due_at = deliberation.proposals_due_at if now < deliberation.proposals_due_at else deliberation.deadline_at
    return min(now + max(0.0, age / 2 - sweep_after_s), max(now, due_at - sweep_after_s))


def _reason_to_give_up(
    deliberation: Deliberation, agent_id: str, *, engines: EngineDirectory, policy: Policy, now: float
) -> tuple[FailureReason, str] | None:
    """Return the failure to record for the agent and its detail; None while it may still answer."""
    if now >= deliberation.proposals_due_at:
        return FailureReason.DEADLINE, NOT_ANSWERED
    model = deliberation.agent(agent_id).model or ""
    if now - deliberation.opened_at < policy.model_wait_s:
        return None
    live = engines.all()
    if any(engine.model == model for engine in live):  # serving, or being started
        return None
    served = sorted({f"{engine.model} by {engine.name}" for engine in live if engine.ready})
    remedy = f"start one with `conclave worker --model {model}`"
    return (
        FailureReason.NOT_SERVED,
        f"no worker serves {model}: {remedy} (served now: {'; '.join(served) or 'nothing'})",
    )
