"""Valid domain values with fresh ids; a test names only what it is about."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from domain import identity
from domain.chat import FailureReason
from domain.council import Agent, Council
from domain.deliberation import Deliberation, quorum_of
from domain.entry import AgentFailed, ArchitectAnswered, BallotCast, Closed, Critiqued, Entry, Opened, Proposed
from domain.event import Event
from domain.plan import Plan, PlanRequest
from domain.record import Record
from domain.rubric import DEFAULT_RUBRIC

MOMENT = 1_700_000_000.0
"""When everything in tests happens unless they say otherwise; epoch seconds."""


def fresh(stem: str) -> str:
    """Return an id that no other test has."""
    return f"{stem}-{uuid4().hex[:12]}"


def agent(agent_id: str | None = None, **changes: Any) -> Agent:
    values = {"agent_id": agent_id or fresh("agent"), "persona": "You weigh risks first.", "model": "tiny"}
    return Agent.model_validate(values | changes)


def agents(count: int) -> tuple[Agent, ...]:
    """Return agents named agent-1, agent-2 … with seeds of their own."""
    return tuple(agent(f"agent-{number}", seed=number) for number in range(1, count + 1))


def council(role: str | None = None, *, size: int = 3, **changes: Any) -> Council:
    return Council.model_validate({"role": role or fresh("ROLE"), "agents": agents(size)} | changes)


def plan(**changes: Any) -> Plan:
    values = {
        "story_id": fresh("story"),
        "plan_id": fresh("plan"),
        "approved_by": "product-owner",
        "timestamp": "2026-01-31T12:00:00+00:00",
        "roles": ("DEV",),
        "title": "Let users reset their password",
        "description": "A link by mail that works once, within an hour.",
        "acceptance_criteria": ("A used link is refused.",),
    }
    return Plan.model_validate(values | changes)


def plan_request(of: Plan | None = None, **changes: Any) -> PlanRequest:
    """Return a request whose id follows from its plan and revision."""
    wanted = of or plan()
    revision = changes.get("revision", wanted.timestamp)
    values = {
        "request_id": identity.request_id(wanted.plan_id, revision),
        "plan": wanted,
        "revision": revision,
        "correlation_id": fresh("correlation"),
        "causation_id": fresh("message"),
    }
    return PlanRequest.model_validate(values | changes)


def deliberation(of: Plan | None = None, *, size: int = 3, **changes: Any) -> Deliberation:
    """Return the deliberation of `size` agents whose ids follow from plan, role, revision and repeat."""
    wanted = of or plan()
    role = changes.get("role", "DEV")
    revision = changes.get("revision", wanted.timestamp)
    opened_at = changes.get("opened_at", MOMENT)
    values = {
        "deliberation_id": identity.deliberation_id(wanted.plan_id, role, revision, changes.get("repeat", 0)),
        "request_id": identity.request_id(wanted.plan_id, revision),
        "plan": wanted,
        "role": role,
        "revision": revision,
        "agents": agents(size),
        "rubric": DEFAULT_RUBRIC,
        "quorum": quorum_of(size),
        "max_tokens": 256,
        "token_budget": 16_384,
        "call_timeout_s": 30.0,
        "opened_at": opened_at,
        "deadline_at": opened_at + 600.0,
    }
    return Deliberation.model_validate(values | changes)


def opened(of: Deliberation | None = None, **changes: Any) -> Opened:
    """Return the opening entry; `changes` are the deliberation's."""
    return Opened(deliberation=of or deliberation(**changes))


def proposed(agent_id: str = "agent-1", **changes: Any) -> Proposed:
    values = {"text": f"{agent_id} would send a signed link.", "usage": {"completion_tokens": 9}}
    return Proposed.model_validate(_call(agent_id) | values | changes)


def agent_failed(agent_id: str = "agent-1", **changes: Any) -> AgentFailed:
    values = {"reason": FailureReason.TIMEOUT, "detail": "no answer within 30 s"}
    return AgentFailed.model_validate(_call(agent_id) | values | changes)


def ballot(agent_id: str = "agent-1", *, on: tuple[str, ...] = ("p-2", "p-3"), **changes: Any) -> BallotCast:
    """Return a ballot that gives every criterion of every proposal in `on` a 7, the first an 8."""
    scores = {proposal_id: dict.fromkeys(DEFAULT_RUBRIC.names, 7) for proposal_id in on}
    scores[on[0]] = dict.fromkeys(DEFAULT_RUBRIC.names, 8)
    return BallotCast.model_validate(_call(agent_id) | {"order": on, "scores": scores} | changes)


def critiqued(agent_id: str = "agent-1", proposal_id: str = "p-2", **changes: Any) -> Critiqued:
    values = {"proposal_id": proposal_id, "text": "Says nothing about expiry."}
    return Critiqued.model_validate(_call(agent_id) | values | changes)


def architect_answered(agent_id: str = "architect", **changes: Any) -> ArchitectAnswered:
    return ArchitectAnswered.model_validate(_call(agent_id) | {"choice": "p-2"} | changes)


def closed(**changes: Any) -> Closed:
    values = {"status": "decided", "at": MOMENT, "event_id": fresh("e"), "result": {"winner": "p-2"}}
    return Closed.model_validate(values | changes)


def event(**changes: Any) -> Event:
    subject_id = changes.get("subject_id", fresh("d"))
    event_type = changes.get("event_type", "orchestration.deliberation.completed")
    values = {
        "event_id": identity.event_id(event_type, subject_id),
        "event_type": event_type,
        "subject_id": subject_id,
        "occurred_at": MOMENT,
        "body": {"event_type": event_type, "task_id": fresh("plan"), "decisions": []},
    }
    return Event.model_validate(values | changes)


def record(*entries: Entry, of: Deliberation | None = None) -> Record:
    """Return the record of an opened deliberation with these entries."""
    return Record.of((opened(of), *entries))


def _call(agent_id: str) -> dict[str, Any]:
    return {"agent_id": agent_id, "model": "tiny", "engine": "scripted", "duration_ms": 1000.0, "at": MOMENT}
