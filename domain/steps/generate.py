"""One agent's proposal."""

from __future__ import annotations

from domain import events
from domain.chat import ChatFailure, FailureReason
from domain.deliberation import Deliberation
from domain.engine_wait import EngineWait
from domain.entry import AgentFailed, Proposed
from domain.errors import DeliberationClosed, EngineAway
from domain.event import Event
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.ports.clock import Clock
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.event_publisher import EventPublisher
from domain.prompts.proposal_question import proposal_question

NOT_ANSWERED = "proposals were due before the agent answered"
NEVER_ASKED = "proposals were due before the agent was asked"


def generate_proposal(
    deliberation_id: str,
    agent_id: str,
    *,
    deliberations: DeliberationStore,
    model: ChatModel,
    publisher: EventPublisher,
    clock: Clock,
    policy: Policy,
    waited: EngineWait | None = None,
) -> Proposed | AgentFailed | None:
    """Have the agent write its proposal and record it, or why there is none.

    `waited` is what earlier runs met. A second run returns what the first recorded; None if the deliberation has
    ended. Raises EngineAway while the engine is away and proposals are not due, LookupError for an unknown
    deliberation.
    """
    record = deliberations.load(deliberation_id)
    done = record.attempt(0, agent_id)
    if record.closed is not None or done is not None:
        return done
    deliberation = record.deliberation
    attempt = _ask(deliberation, agent_id, model=model, clock=clock, policy=policy, waited=waited)
    try:
        entry = deliberations.record(deliberation_id, attempt)
    except DeliberationClosed:
        return None
    assert isinstance(entry, Proposed | AgentFailed)
    publisher.publish_progress([_progress(deliberation, entry)])
    return entry


def record_failure(
    deliberation_id: str,
    agent_id: str,
    reason: FailureReason,
    detail: str,
    *,
    deliberations: DeliberationStore,
    clock: Clock,
) -> None:
    """Record that the agent has no proposal; nothing if there is one, or the deliberation has ended."""
    failure = AgentFailed(agent_id=agent_id, reason=reason, detail=detail, at=clock.now())
    try:
        deliberations.record(deliberation_id, failure)
    except DeliberationClosed:
        return


def call_timeout(deliberation: Deliberation, now: float) -> float:
    """Return the seconds that a proposal's call starting now may take; 0 or less when proposals are due."""
    return min(deliberation.call_timeout_s, deliberation.proposals_due_at - now)


def _ask(
    deliberation: Deliberation,
    agent_id: str,
    *,
    model: ChatModel,
    clock: Clock,
    policy: Policy,
    waited: EngineWait | None,
) -> Proposed | AgentFailed:
    now = clock.now()
    timeout_s = call_timeout(deliberation, now)
    if timeout_s <= 0:
        reason, detail = (waited.reason, waited.sentence) if waited else (FailureReason.DEADLINE, NEVER_ASKED)
        return AgentFailed(agent_id=agent_id, reason=reason, detail=detail, at=now)
    if not deliberation.affords(agent_id):
        detail = (
            f"the budget of {deliberation.token_budget} tokens does not hold another proposal of "
            f"{deliberation.max_tokens}; raise token_budget, or ask for a smaller max_tokens"
        )
        return AgentFailed(agent_id=agent_id, reason=FailureReason.BUDGET, detail=detail, at=now)
    agent = deliberation.agent(agent_id)
    question = proposal_question(deliberation, agent, policy, timeout_s=timeout_s)
    outcome = next(iter(model.ask([question.request])))
    now = clock.now()
    if isinstance(outcome, ChatFailure) and outcome.reason.passing:
        wait = EngineWait.after(waited, outcome, now=now)
        if now < deliberation.proposals_due_at:
            raise EngineAway(wait, until=deliberation.proposals_due_at)
        outcome = outcome.model_copy(update={"detail": wait.sentence})
    return question.entry(outcome, at=now)


def _progress(deliberation: Deliberation, entry: Proposed | AgentFailed) -> Event:
    return events.progress(
        deliberation,
        at=entry.at,
        stage="proposal",
        what=entry.key,
        agent_id=entry.agent_id,
        outcome=entry.kind,
        tokens=entry.usage.completion_tokens,
    )
