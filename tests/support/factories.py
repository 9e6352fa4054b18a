"""Valid domain values with fresh ids; a test names only what it is about."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from domain import identity
from domain.chat import FailureReason
from domain.contract import CancelledBody, CompletedBody, FailedBody, ProgressBody
from domain.council import Agent, Council
from domain.deliberation import Deliberation, Judge, quorum_of
from domain.entry import (
    AgentFailed,
    ArchitectAnswered,
    BallotCast,
    Closed,
    Compared,
    Critiqued,
    Entry,
    Opened,
    Proposed,
)
from domain.event import Event
from domain.event_types import CANCELLED, COMPLETED, FAILED, PROGRESS
from domain.plan import Plan, PlanRequest
from domain.ranking import Ranking, RankingInputs, RankingSettings, rank
from domain.record import Record
from domain.rubric import DEFAULT_RUBRIC
from domain.verdict import SaidVerdict, Verdict

MOMENT = 1_700_000_000.0
"""When everything in tests happens unless they say otherwise; epoch seconds."""


def fresh(stem: str) -> str:
    """Return an id that no other test has."""
    return f"{stem}-{uuid4().hex[:12]}"


def agent(agent_id: str | None = None, **changes: Any) -> Agent:
    values = {"agent_id": agent_id or fresh("agent"), "persona": "You weigh risks first.", "model": "tiny"}
    return Agent.model_validate(values | changes)


def agents(count: int) -> tuple[Agent, ...]:
    """Return agents named agent-1, agent-2 … with seeds and personas of their own."""
    numbers = range(1, count + 1)
    return tuple(agent(f"agent-{n}", seed=n, persona=f"You weigh risks first. Way {n}.") for n in numbers)


def judge(role: str = "QA", member_id: str | None = None, **changes: Any) -> Judge:
    """Return a judge that the role's council lends."""
    lent = agent(member_id)
    values = {"agent_id": f"{role}/{lent.agent_id}", "council": role, "member_id": lent.agent_id}
    return Judge.model_validate(lent.model_dump() | values | changes)


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


def compared(agent_id: str = "agent-1", first: str = "p-2", second: str = "p-3", **changes: Any) -> Compared:
    values = {"first": first, "second": second, "choice": first, "p_first": 0.75}
    return Compared.model_validate(_call(agent_id) | values | changes)


def critiqued(agent_id: str = "agent-1", proposal_id: str = "p-2", **changes: Any) -> Critiqued:
    values = {"proposal_id": proposal_id, "text": "Says nothing about expiry."}
    return Critiqued.model_validate(_call(agent_id) | values | changes)


def architect_answered(agent_id: str = "architect", **changes: Any) -> ArchitectAnswered:
    return ArchitectAnswered.model_validate(_call(agent_id) | {"choice": "p-2"} | changes)


def ranking(**changes: Any) -> Ranking:
    """Return the ranking of one proposal that no reviewer saw."""
    return rank((), authors={"agent-1@0": "agent-1"}).model_copy(update=changes)


def completed_body(**changes: Any) -> CompletedBody:
    """Return the body of a decision among one proposal, which nothing else is known of."""
    ranked = changes.get("ranking") or ranking()
    proposal = {
        "author": {"agent_id": "agent-1", "role": "DEV"},
        "content": "agent-1 would send a signed link.",
        "revisions": (),
        "proposal_id": "agent-1@0",
        "model": "tiny",
        "cut_off": False,
    }
    values = _head(COMPLETED) | {
        "decisions": ({"proposal": proposal, "checks": {"overall_score": 1.0}, "score": 7.0, "rank": 1},),
        "winner": {"proposal_id": "agent-1@0", "agent_id": "agent-1"},
        "winner_changed": None,
        "decided_by": ranked.decided_by,
        "p_winner": ranked.p_winner,
        "tied": ranked.tied,
        "contested": ranked.contested,
        "agreement": ranked.agreement,
        "ranking": ranked,
        "ranking_inputs": RankingInputs(
            round=0,
            authors={"agent-1@0": "agent-1"},
            reviewers=(),
            checks={"agent-1@0": 1.0},
            hashes={},
            caps={},
            settings=RankingSettings(),
        ),
        "ballots": (),
        "critiques": (),
        "architect": None,
        "synthesis": None,
        "degraded": False,
        "failures": (),
        "rounds": 0,
        "models": ("tiny",),
        "usage": {"completion_tokens": 9, "agents": {}},
        "duration_ms": 1000.0,
        "timings": {"proposing_ms": 600.0, "reviewing_ms": 300.0, "concluding_ms": 100.0},
        "quorum": 1,
    }
    return CompletedBody.model_validate(values | changes)


def failed_body(**changes: Any) -> FailedBody:
    values = _head(FAILED) | {"reason": "0 of 3 agents have an admissible proposal", "failures": ()}
    return FailedBody.model_validate(values | changes)


def cancelled_body(**changes: Any) -> CancelledBody:
    return CancelledBody.model_validate(_head(CANCELLED) | {"reason": "the story was dropped"} | changes)


def progress_body(**changes: Any) -> ProgressBody:
    return ProgressBody.model_validate(_head(PROGRESS) | {"stage": "round", "what": "1"} | changes)


def closed(**changes: Any) -> Closed:
    """Return an ending whose result is of its status, a decision unless changed."""
    status = changes.get("status", "decided")
    bodies = {"decided": completed_body, "failed": failed_body, "cancelled": cancelled_body}
    at = changes.get("at", MOMENT)
    values = {"status": status, "at": at, "event_id": fresh("e"), "result": bodies[status](timestamp=at)}
    return Closed.model_validate(values | changes)


def event(**changes: Any) -> Event:
    """Return the event of a body, a decision's unless changed, about a deliberation of its own."""
    subject_id = changes.get("subject_id", fresh("d"))
    body = changes.get("body") or completed_body(deliberation_id=subject_id)
    values = {
        "event_id": identity.event_id(body.event_type, subject_id),
        "event_type": body.event_type,
        "subject_id": subject_id,
        "occurred_at": MOMENT,
        "body": body,
    }
    return Event.model_validate(values | changes)


def said_verdict(deliberation_id: str = "d-1", **changes: Any) -> SaidVerdict:
    """Return ada's acceptance under a key of its own."""
    values = {
        "verdict_id": fresh("v"),
        "deliberation_id": deliberation_id,
        "verdict": "accept",
        "by": "ada",
        "judged_at": "2026-01-31T12:00:00+00:00",
        "said_at": MOMENT,
        "causation_id": fresh("message"),
    }
    return SaidVerdict.model_validate(values | changes)


def verdict(deliberation_id: str = "d-1", **changes: Any) -> Verdict:
    """Return ada's acceptance as recorded."""
    values = {
        "verdict_id": fresh("v"),
        "deliberation_id": deliberation_id,
        "verdict": "accept",
        "proposal_id": "agent-1@0",
        "by": "ada",
        "judged_at": "2026-01-31T12:00:00+00:00",
        "said_at": MOMENT,
        "at": MOMENT,
    }
    return Verdict.model_validate(values | changes)


def record(*entries: Entry, of: Deliberation | None = None) -> Record:
    """Return the record of an opened deliberation with these entries."""
    return Record.of((opened(of), *entries))


def _call(agent_id: str) -> dict[str, Any]:
    return {"agent_id": agent_id, "model": "tiny", "engine": "scripted", "duration_ms": 1000.0, "at": MOMENT}


def _head(event_type: str) -> dict[str, Any]:
    plan_id = fresh("plan")
    return {
        "event_type": event_type,
        "story_id": fresh("story"),
        "task_id": plan_id,
        "timestamp": MOMENT,
        "deliberation_id": fresh("d"),
        "plan_id": plan_id,
        "role": "DEV",
        "revision": "2026-01-31T12:00:00+00:00",
        "supersedes": None,
    }
