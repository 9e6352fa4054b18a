"""One agent's proposal."""

from __future__ import annotations

from domain import events
from domain.deliberation import Deliberation
from domain.entry import AgentFailed, Call, Proposed, Usage
from domain.event import Event
from domain.ports.chat_model import ChatAnswer, ChatFailure, ChatRequest, FailureReason
from domain.ports.deliberation_store import DeliberationClosed
from domain.prompts import proposal_request
from domain.services import Services
from domain.steps.engine_away import EngineAway


def generate_proposal(deliberation_id: str, agent_id: str, services: Services) -> Proposed | AgentFailed | None:
    """Have the agent write its proposal and record it, or why there is none.

    A second run returns what the first recorded; None if the deliberation has ended. Raises EngineAway while
    the engine is away and time is left, LookupError for an unknown deliberation.
    """
    record = services.deliberations.load(deliberation_id)
    done = record.attempt(0, agent_id)
    if record.closed is not None or done is not None:
        return done
    deliberation = record.deliberation
    attempt = _ask(deliberation, agent_id, services)
    try:
        entry = services.deliberations.record(deliberation_id, attempt)
    except DeliberationClosed:
        return None
    assert isinstance(entry, Proposed | AgentFailed)
    services.publisher.tell([_progress(deliberation, entry)])
    return entry


def record_failure(
    deliberation_id: str, agent_id: str, reason: FailureReason, detail: str, services: Services
) -> None:
    """Record that the agent has no proposal; what it may have recorded before stands. For tasks given up."""
    failure = AgentFailed(agent_id=agent_id, reason=reason, detail=detail, at=services.clock.now())
    try:
        services.deliberations.record(deliberation_id, failure)
    except DeliberationClosed:
        return


def call_timeout(deliberation: Deliberation, now: float) -> float:
    """Return the seconds that a call starting now may take; 0 or less when the deadline has passed."""
    return min(deliberation.call_timeout_s, deliberation.deadline_at - now)


def _ask(deliberation: Deliberation, agent_id: str, services: Services) -> Proposed | AgentFailed:
    timeout_s = call_timeout(deliberation, services.clock.now())
    if timeout_s <= 0:
        detail = "the deliberation's deadline passed before the agent was asked"
        return AgentFailed(
            agent_id=agent_id, reason=FailureReason.DEADLINE, detail=detail, at=services.clock.now()
        )
    request = proposal_request(deliberation, deliberation.agent(agent_id), timeout_s=timeout_s)
    outcome = next(iter(services.model.ask([request])))
    return proposal_of(request, outcome, agent_id, 0, deliberation, services)


def proposal_of(
    request: ChatRequest,
    outcome: ChatAnswer | ChatFailure,
    agent_id: str,
    round_: int,
    deliberation: Deliberation,
    services: Services,
) -> Proposed | AgentFailed:
    """Turn a model's outcome into the agent's entry. Raises EngineAway while it is worth waiting for."""
    now = services.clock.now()
    if isinstance(outcome, ChatFailure):
        if outcome.reason.passing and now < deliberation.deadline_at:
            raise EngineAway(outcome)
        return AgentFailed(
            agent_id=agent_id,
            round=round_,
            model=request.model,
            engine=outcome.engine,
            reason=outcome.reason,
            detail=outcome.detail,
            at=now,
        )
    return _answered(outcome, agent_id, round_, now, strict=services.policy.cut_off == "fail")


def _answered(
    answer: ChatAnswer, agent_id: str, round_: int, now: float, *, strict: bool
) -> Proposed | AgentFailed:
    call = Call(
        agent_id=agent_id,
        round=round_,
        model=answer.model,
        engine=answer.engine,
        usage=usage_of(answer),
        duration_ms=answer.duration_ms,
        at=now,
    ).model_dump()
    if not answer.text.strip():
        return AgentFailed(**call, reason=FailureReason.EMPTY, detail="the model's answer was empty")
    if answer.cut_off and strict:
        detail = f"the answer ended at {answer.completion_tokens} tokens; raise max_tokens"
        return AgentFailed(**call, reason=FailureReason.CUT_OFF, detail=detail)
    return Proposed(**call, text=answer.text, cut_off=answer.cut_off)


def usage_of(answer: ChatAnswer) -> Usage:
    """Return the tokens of one answer."""
    return Usage(
        prompt_tokens=answer.prompt_tokens,
        cached_tokens=answer.cached_tokens,
        completion_tokens=answer.completion_tokens,
    )


def _progress(deliberation: Deliberation, entry: Proposed | AgentFailed) -> Event:
    body = {"agent_id": entry.agent_id, "outcome": entry.kind, "tokens": entry.usage.completion_tokens}
    return events.progress(deliberation, at=entry.at, stage="proposal", what=entry.key, body=body)
