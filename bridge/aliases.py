"""Facts under the names that consumers of the system before ours read, besides our own events."""

from __future__ import annotations

from typing import Literal

from bridge.cloudevents import moment_of
from domain.contract import DispatchedBody, StartedBody
from domain.event import Event
from domain.value import OpenValue


class PlanAlias(OpenValue):
    """A plan was accepted and its roles asked; published with CONCLAVE_EVENTS_ALIASES only."""

    event_type: Literal["orchestration.plan.approved"] = "orchestration.plan.approved"
    story_id: str
    plan_id: str
    approved_by: str
    roles: tuple[str, ...]
    timestamp: str
    """RFC 3339."""


class TaskAlias(OpenValue):
    """One agent was asked for its proposal; published with CONCLAVE_EVENTS_ALIASES only."""

    event_type: Literal["orchestration.task.dispatched"] = "orchestration.task.dispatched"
    story_id: str
    task_id: str
    agent_id: str
    role: str
    timestamp: str
    """RFC 3339."""


ALIASES: dict[str, type[OpenValue]] = {
    "orchestration.plan.approved": PlanAlias,
    "orchestration.task.dispatched": TaskAlias,
}
"""Event type → model of its body, for what is told under an older name."""


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
        return (_alias(event, "plan.approved", plan),)
    if isinstance(body, StartedBody):
        tasks = [
            TaskAlias(story_id=body.story_id, task_id=body.task_id, agent_id=agent, role=body.role, timestamp=at)
            for agent in body.agents
        ]
        return tuple(_alias(event, f"task.dispatched:{number}", task) for number, task in enumerate(tasks))
    return ()


def _alias(event: Event, name: str, body: PlanAlias | TaskAlias) -> Event:
    """Copy the event without validation: no body of an alias is one of ours."""
    changes = {"event_id": f"{event.event_id}:{name}", "event_type": body.event_type, "body": body}
    return event.model_copy(update=changes)
