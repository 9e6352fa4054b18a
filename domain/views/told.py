"""What an event tells, as a line for somebody who follows a deliberation."""

from __future__ import annotations

from domain.contract import (
    CancelledBody,
    CompletedBody,
    DispatchedBody,
    EventBody,
    FailedBody,
    JudgedBody,
    MessageRejectedBody,
    PhaseChangedBody,
    ProgressBody,
    StartedBody,
)
from domain.keys import parse_key
from domain.text.visible import escaped_line
from domain.views.why import label


def told(body: EventBody) -> str:
    """Return the line, without a full stop; hidden characters in it are escaped."""
    return escaped_line(_line(body))


def _line(body: EventBody) -> str:
    match body:
        case StartedBody():
            return f"council {body.role} was asked: {', '.join(body.agents)}"
        case ProgressBody():
            return _step(body)
        case CompletedBody():
            return f"decided: {label(body.winner.proposal_id)} won" if body.winner else "decided, without a winner"
        case FailedBody():
            return f"failed: {body.reason}"
        case CancelledBody():
            return f"cancelled: {body.reason}"
        case JudgedBody():
            return f"judged by {body.by}: {body.verdict}"
        case DispatchedBody():
            return body.message or f"plan dispatched to {', '.join(body.roles)}"
        case PhaseChangedBody():
            return f"story {body.story_id} entered {body.to_phase}"
        case MessageRejectedBody():
            return f"rejected: {body.reason}"


def _step(body: ProgressBody) -> str:
    who = body.agent_id or _author(body.what) or "the council"
    if body.stage == "proposal":
        return f"{who} failed to propose" if body.outcome == "failure" else f"{who} proposed"
    by_stage = {
        "ballot": f"{who} reviewed",
        "critique": f"{who} criticised",
        "architect": "the architect chose",
        "round": "a round of revisions is over",
        "ranked": "the proposals are ranked",
    }
    return by_stage.get(body.stage, f"{body.stage}: {body.what}")


def _author(what: str) -> str:
    """Return whose answer was recorded; empty where the event names no answer."""
    try:
        return parse_key(what).agent_id
    except ValueError:
        return ""
