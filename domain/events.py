"""Every event that Conclave publishes, as a function of what happened (shared contract: docs/events.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.deliberation import Deliberation
from domain.event import Event
from domain.identity import event_id
from domain.plan import PlanRequest

STARTED = "orchestration.deliberation.started"
PROGRESS = "orchestration.deliberation.progress"
COMPLETED = "orchestration.deliberation.completed"
FAILED = "orchestration.deliberation.failed"
CANCELLED = "orchestration.deliberation.cancelled"
DISPATCHED = "orchestration.plan.dispatched"
PHASE_CHANGED = "orchestration.phase.changed"


def deliberation_event(
    event_type: str, deliberation: Deliberation, *, at: float, body: dict[str, Any], what: str = ""
) -> Event:
    """Build an event about a deliberation; `what` tells apart several of one type."""
    head = {
        "event_type": event_type,
        "story_id": deliberation.plan.story_id,
        "task_id": deliberation.plan.plan_id,
        "timestamp": at,
        "deliberation_id": deliberation.deliberation_id,
        "plan_id": deliberation.plan.plan_id,
        "role": deliberation.role,
        "revision": deliberation.revision,
        "supersedes": deliberation.supersedes,
    }
    return Event(
        event_id=event_id(event_type, deliberation.deliberation_id, what),
        event_type=event_type,
        subject_id=deliberation.deliberation_id,
        occurred_at=at,
        body={**head, **body},
        correlation_id=deliberation.correlation_id,
        causation_id=deliberation.causation_id,
        traceparent=deliberation.traceparent,
    )


def started(deliberation: Deliberation) -> Event:
    """Tell that a council has been asked."""
    body = {
        "agents": [agent.agent_id for agent in deliberation.agents],
        "judges": [judge.agent_id for judge in deliberation.judges],
        "models": sorted({agent.model or "" for agent in deliberation.reviewers}),
        "rounds": deliberation.rounds,
        "deadline": deliberation.deadline_at,
    }
    return deliberation_event(STARTED, deliberation, at=deliberation.opened_at, body=body)


def progress(deliberation: Deliberation, *, at: float, stage: str, what: str, body: dict[str, Any]) -> Event:
    """Tell of one step done: `stage` is proposal, ballot, critique, round or ranked; `what` its key."""
    told = {"stage": stage, "what": what, **body}
    return deliberation_event(PROGRESS, deliberation, at=at, body=told, what=what)


def failed(deliberation: Deliberation, *, at: float, reason: str, failures: Sequence[dict[str, Any]]) -> Event:
    """Tell that an opened deliberation ended without a decision."""
    body = {"reason": reason, "failures": list(failures)}
    return deliberation_event(FAILED, deliberation, at=at, body=body)


def role_failed(request: PlanRequest, role: str, deliberation: str, *, at: float, reason: str) -> Event:
    """Tell that a role could not be asked at all."""
    plan = request.plan
    body = {
        "event_type": FAILED,
        "story_id": plan.story_id,
        "task_id": plan.plan_id,
        "timestamp": at,
        "deliberation_id": deliberation,
        "plan_id": plan.plan_id,
        "role": role,
        "revision": request.revision,
        "supersedes": None,
        "reason": reason,
        "failures": [],
    }
    return _request_event(FAILED, request, deliberation, at=at, body=body)


def dispatched(
    request: PlanRequest, *, at: float, started: Sequence[dict[str, str]], failed: Sequence[dict[str, str]]
) -> Event:
    """Tell which roles of a plan were asked; `started` and `failed` hold one object a role."""
    plan = request.plan
    body = {
        "event_type": DISPATCHED,
        "story_id": plan.story_id,
        "task_id": plan.plan_id,
        "timestamp": at,
        "plan_id": plan.plan_id,
        "revision": request.revision,
        "roles": list(plan.roles),
        "started": list(started),
        "failed": list(failed),
        "message": "" if plan.roles else "the plan names no roles, so nothing was asked",
    }
    return _request_event(DISPATCHED, request, request.request_id, at=at, body=body)


def _request_event(
    event_type: str, request: PlanRequest, subject_id: str, *, at: float, body: dict[str, Any]
) -> Event:
    return Event(
        event_id=event_id(event_type, subject_id),
        event_type=event_type,
        subject_id=subject_id,
        occurred_at=at,
        body=body,
        correlation_id=request.correlation_id,
        causation_id=request.causation_id,
        traceparent=request.traceparent,
    )
