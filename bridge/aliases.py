"""Facts under the names that consumers of the system before ours read, besides our own events."""

from __future__ import annotations

from bridge.cloudevents import moment_of
from domain.contract import DispatchedBody, StartedBody
from domain.event import Event
from domain.value import OpenValue

PLAN_APPROVED_ALIAS = "orchestration.plan.approved"
TASK_DISPATCHED_ALIAS = "orchestration.task.dispatched"


class PlanAlias(OpenValue):
    """The body of `orchestration.plan.approved`: a plan was accepted and its roles asked."""

    event_type: str = PLAN_APPROVED_ALIAS
    story_id: str
    plan_id: str
    approved_by: str
    roles: tuple[str, ...]
    timestamp: str
    """RFC 3339."""


class TaskAlias(OpenValue):
    """The body of `orchestration.task.dispatched`: one agent was asked for its proposal."""

    event_type: str = TASK_DISPATCHED_ALIAS
    story_id: str
    task_id: str
    agent_id: str
    role: str
    timestamp: str
    """RFC 3339."""


def aliases_of(event: Event) -> tuple[Event, ...]:
    """Return the event under other names, each with an id of its own: one for a plan, one for each agent asked."""
    body, at = event.body, moment_of(event)
    if isinstance(body, DispatchedBody):
        plan = PlanAlias(
            story_id=body.story_id,
            plan_id=body.plan_id,
            approved_by=body.approved_by,
            roles=body.roles,
            timestamp=at,
        )
        return (_alias(event, "plan.approved", plan, PLAN_APPROVED_ALIAS),)
    if isinstance(body, StartedBody):
        tasks = [
            TaskAlias(story_id=body.story_id, task_id=body.task_id, agent_id=agent, role=body.role, timestamp=at)
            for agent in body.agents
        ]
        return tuple(
            _alias(event, f"task.dispatched:{number}", task, TASK_DISPATCHED_ALIAS)
            for number, task in enumerate(tasks)
        )
    return ()


def _alias(event: Event, name: str, body: OpenValue, event_type: str) -> Event:
    """Copy the event without validation: no body of an alias is one of ours."""
    changes = {"event_id": f"{event.event_id}:{name}", "event_type": event_type, "body": body}
    return event.model_copy(update=changes)
