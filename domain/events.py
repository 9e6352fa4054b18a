"""Every event about deliberations and plans, and the bodies of their ends, as functions of what happened.

What consumers may rely on is in docs/events.md; phase changes are built in domain.inbound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from domain.contract import (
    CancelledBody,
    CompletedBody,
    DeliberationBody,
    DispatchedBody,
    FailedBody,
    JudgedBody,
    MessageRejectedBody,
    ProgressBody,
    ProgressStage,
    StartedBody,
)
from domain.contract_rows import FailureRow, ProposalBody, RoleFailed, RoleStarted, TotalUsage, Winner
from domain.deliberation import Deliberation
from domain.event import Event
from domain.event_types import (
    CANCELLED,
    COMPLETED,
    DISPATCHED,
    FAILED,
    JUDGED,
    MESSAGE_REJECTED,
    PROGRESS,
    STARTED,
)
from domain.identity import event_id
from domain.plan import Plan, PlanRequest
from domain.verdict import Verdict, standing


class HeadFields(TypedDict):
    """The fields of `DeliberationHead` but the event's type, as keyword arguments of a body."""

    story_id: str
    task_id: str
    timestamp: float
    deliberation_id: str
    plan_id: str
    role: str
    revision: str
    supersedes: str | None


def head_of(deliberation: Deliberation, at: float) -> HeadFields:
    """Return what every body about the deliberation begins with; `at` in epoch seconds."""
    return HeadFields(
        story_id=deliberation.plan.story_id,
        task_id=deliberation.plan.plan_id,
        timestamp=at,
        deliberation_id=deliberation.deliberation_id,
        plan_id=deliberation.plan.plan_id,
        role=deliberation.role,
        revision=deliberation.revision,
        supersedes=deliberation.supersedes,
    )


def ending(deliberation: Deliberation, body: CompletedBody | FailedBody | CancelledBody) -> Event:
    """Wrap the body of an end into its event: every end of a deliberation has one id, that of its decision."""
    return event_of(deliberation, body).model_copy(update={"event_id": end_id(deliberation.deliberation_id)})


def end_id(deliberation_id: str) -> str:
    """Return the one id of whatever event tells the deliberation's end."""
    return event_id(COMPLETED, deliberation_id, "")


def event_of(deliberation: Deliberation, body: DeliberationBody, *, key: str = "") -> Event:
    """Wrap a body into its event; `key` tells apart several events of one type."""
    return Event(
        event_id=event_id(body.event_type, deliberation.deliberation_id, key),
        event_type=body.event_type,
        subject_id=deliberation.deliberation_id,
        occurred_at=body.timestamp,
        body=body,
        correlation_id=deliberation.correlation_id,
        causation_id=deliberation.causation_id,
        traceparent=deliberation.traceparent,
    )


def started(deliberation: Deliberation) -> Event:
    """Say that a council was asked."""
    body = StartedBody(
        event_type=STARTED,
        **head_of(deliberation, deliberation.opened_at),
        agents=tuple(agent.agent_id for agent in deliberation.agents),
        judges=tuple(judge.agent_id for judge in deliberation.judges),
        models=tuple(sorted({agent.model or "" for agent in deliberation.reviewers})),
        rounds=deliberation.rounds,
        deadline=deliberation.deadline_at,
    )
    return event_of(deliberation, body)


def progress(
    deliberation: Deliberation,
    *,
    at: float,
    stage: ProgressStage,
    what: str,
    agent_id: str | None = None,
    outcome: str | None = None,
    tokens: int | None = None,
) -> Event:
    """Say that one step was done; `what` is its key."""
    body = ProgressBody(
        event_type=PROGRESS,
        **head_of(deliberation, at),
        stage=stage,
        what=what,
        agent_id=agent_id,
        outcome=outcome,
        tokens=tokens,
    )
    return event_of(deliberation, body, key=what)


def failed_body(
    deliberation: Deliberation,
    *,
    at: float,
    reason: str,
    failures: Sequence[FailureRow],
    proposals: Sequence[ProposalBody] = (),
    usage: TotalUsage | None = None,
) -> FailedBody:
    """Say that a deliberation ended without a decision."""
    return FailedBody(
        event_type=FAILED,
        **head_of(deliberation, at),
        reason=reason,
        failures=tuple(failures),
        proposals=tuple(proposals),
        usage=usage,
    )


def cancelled_body(
    deliberation: Deliberation, *, at: float, reason: str, usage: TotalUsage | None = None
) -> CancelledBody:
    """Say that an operator or a program ended a deliberation."""
    return CancelledBody(event_type=CANCELLED, **head_of(deliberation, at), reason=reason, usage=usage)


def judged(
    deliberation: Deliberation,
    decision: CompletedBody,
    before: Iterable[Verdict],
    verdict: Verdict,
    *,
    causation_id: str = "",
) -> Event:
    """Say that a decision was judged; `before` are the verdicts recorded before this one."""
    known = tuple(before)
    authors = {row.proposal.proposal_id: row.proposal.author.agent_id for row in decision.decisions}
    stands = not verdict.by_person or standing((*known, verdict))[verdict.by] == verdict
    replaced = standing(known).get(verdict.by) if stands else None
    best = verdict.proposal_id
    body = JudgedBody(
        event_type=JUDGED,
        **head_of(deliberation, verdict.at),
        verdict_id=verdict.verdict_id,
        verdict=verdict.verdict,
        proposal=None if best is None else Winner(proposal_id=best, agent_id=authors.get(best, "")),
        by=verdict.by,
        reason=verdict.reason,
        judged_at=verdict.judged_at,
        said_at=verdict.said_at,
        stands=stands,
        replaces=replaced.verdict_id if replaced else None,
        counts=verdict.counts,
    )
    event = event_of(deliberation, body, key=verdict.verdict_id)
    return event.model_copy(update={"causation_id": causation_id}) if causation_id else event


NO_ROLES = "the plan names no roles, so nothing was asked"
NO_TEXT = "the plan has no title, description or other text, so agents see only ids; send what is to be decided"


def _remark_on(plan: Plan) -> str:
    if not plan.roles:
        return NO_ROLES
    return NO_TEXT if plan.is_bare else ""


def dispatched(
    request: PlanRequest, *, at: float, started: Sequence[RoleStarted], failed: Sequence[RoleFailed]
) -> Event:
    """Say which roles of a plan were asked, and which could not be."""
    plan = request.plan
    body = DispatchedBody(
        event_type=DISPATCHED,
        story_id=plan.story_id,
        task_id=plan.plan_id,
        timestamp=at,
        plan_id=plan.plan_id,
        revision=request.revision,
        roles=plan.roles,
        started=tuple(started),
        failed=tuple(failed),
        message=_remark_on(plan),
        approved_by=plan.approved_by,
        content=request.content,
    )
    return Event(
        event_id=event_id(DISPATCHED, request.request_id),
        event_type=DISPATCHED,
        subject_id=request.request_id,
        occurred_at=at,
        body=body,
        correlation_id=request.correlation_id,
        causation_id=request.causation_id,
        traceparent=request.traceparent,
    )


def message_rejected(
    *, subject: str, stream: str, sequence: int, at: float, reason: str, traceparent: str
) -> Event:
    """Say that a stored message became a dead letter; `at` is when it was stored, in epoch seconds."""
    place = f"{stream}:{sequence}"
    return Event(
        event_id=event_id(MESSAGE_REJECTED, place, str(at)),
        event_type=MESSAGE_REJECTED,
        subject_id=place,
        occurred_at=at,
        body=MessageRejectedBody(
            event_type=MESSAGE_REJECTED,
            timestamp=at,
            subject=subject,
            stream=stream,
            sequence=sequence,
            reason=reason,
        ),
        traceparent=traceparent,
    )
