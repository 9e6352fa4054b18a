"""What may be asked from outside and what follows from it: plan requests for the council, news for the world.

Knows payloads, not how they travel: `Arrival` is a message with its dialect taken off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from domain.event import Event
from domain.events import PHASE_CHANGED
from domain.identity import digest, event_id, request_id
from domain.plan import Constraints, Identifier, Plan, PlanRequest, Text, WireValue
from domain.value import Name, Value


class Arrival(Value):
    """One message from outside, whatever it was wrapped in."""

    payload: str
    """A JSON object as text: UTF-8 encodable, without doubled keys, NaN or numbers that Python can't hold."""
    key: str = ""
    """What its publisher calls it: the same key means the same order. Empty if it has none."""
    message_id: str = ""
    """How events that follow from it name it as their cause."""
    correlation_id: str = ""
    traceparent: str = ""
    redelivered: bool = False
    received_at: float
    """Epoch seconds when the message system stored it; the same for every delivery."""


class Intake(Value):
    """What one arrival comes to."""

    requests: tuple[PlanRequest, ...] = ()
    events: tuple[Event, ...] = ()


def _iso_8601(timestamp: str) -> str:
    try:
        datetime.fromisoformat(timestamp)
    except ValueError:
        raise ValueError("must be ISO 8601, like 2026-01-31T12:00:00Z") from None
    return timestamp


Timestamp = Annotated[Identifier, AfterValidator(_iso_8601)]
QuestionText = Annotated[str, StringConstraints(min_length=1, max_length=200_000, pattern=r"\S")]


class DeliberationRequested(WireValue):
    """The payload of `deliberation.requested`: one role, one question, no plan."""

    role: Name
    question: QuestionText
    request_id: Identifier | None = None
    """Names the question; the same one asked again is the same deliberation. None: derived from the content."""
    story_id: Identifier | None = None
    requested_by: Identifier | None = None
    timestamp: Timestamp | None = None
    title: Text = ""
    acceptance_criteria: tuple[Text, ...] = Field(default=(), max_length=200)
    constraints: Constraints | None = None
    priority: str | int | None = None

    @property
    def plan_id(self) -> str:
        """The request's own id, else one derived from what is asked."""
        return self.request_id or f"q-{digest(self.role, self.question, self.story_id or '', *self._bounds)}"

    @property
    def _bounds(self) -> tuple[str, ...]:
        constraints = self.constraints.model_dump_json() if self.constraints else ""
        return (constraints, *self.acceptance_criteria)


class StoryTransitioned(WireValue):
    """The payload of `planning.story.transitioned`."""

    story_id: Identifier
    from_phase: Name
    to_phase: Name
    timestamp: Timestamp
    plan_id: Identifier | None = None
    """The plan that the phase works on; None: the story in that phase is what is deliberated."""
    title: Text = ""
    description: Text = ""
    acceptance_criteria: tuple[Text, ...] = Field(default=(), max_length=200)
    constraints: Constraints | None = None


def plan_approved(arrival: Arrival) -> Intake:
    """Accept an approved plan. Raises pydantic's ValidationError where the payload does not fit."""
    plan = Plan.model_validate_json(arrival.payload)
    return Intake(requests=(_request(plan, arrival.key or plan.timestamp, arrival),))


def deliberation_requested(arrival: Arrival) -> Intake:
    """Accept a question as a plan of one role, described by the question. Raises ValidationError."""
    asked = DeliberationRequested.model_validate_json(arrival.payload)
    plan = Plan(
        story_id=asked.story_id or asked.plan_id,
        plan_id=asked.plan_id,
        approved_by=asked.requested_by or "anonymous",
        timestamp=asked.timestamp or _iso(arrival.received_at),
        roles=(asked.role,),
        title=asked.title,
        description=asked.question,
        acceptance_criteria=asked.acceptance_criteria,
        constraints=asked.constraints or Constraints(),
        priority=asked.priority,
        **_extra(asked),
    )
    # Without a key and a time of its own, the same question is the same deliberation however often it is sent.
    return Intake(requests=(_request(plan, arrival.key or asked.timestamp or plan.plan_id, arrival),))


def story_transitioned(arrival: Arrival, phases: Mapping[str, tuple[str, ...]]) -> Intake:
    """Tell of the transition, and ask the roles that `phases` names for the phase entered, if any.

    Raises ValidationError where the payload does not fit.
    """
    moved = StoryTransitioned.model_validate_json(arrival.payload)
    revision = arrival.key or moved.timestamp
    roles = tuple(phases.get(moved.to_phase, ()))
    requests = (_request(_plan_of_phase(moved, roles), revision, arrival),) if roles else ()
    return Intake(requests=requests, events=(_phase_changed(moved, revision, requests, arrival),))


def _plan_of_phase(moved: StoryTransitioned, roles: tuple[str, ...]) -> Plan:
    return Plan(
        story_id=moved.story_id,
        plan_id=moved.plan_id or f"{moved.story_id}:{moved.to_phase}",
        approved_by="planning.story.transitioned",
        timestamp=moved.timestamp,
        roles=roles,
        title=moved.title or f"Story {moved.story_id}: {moved.to_phase}",
        description=moved.description,
        acceptance_criteria=moved.acceptance_criteria,
        constraints=moved.constraints or Constraints(),
        **_extra(moved),
    )


def _phase_changed(
    moved: StoryTransitioned, revision: str, requests: tuple[PlanRequest, ...], arrival: Arrival
) -> Event:
    request = requests[0] if requests else None
    return Event(
        event_id=event_id(PHASE_CHANGED, moved.story_id, moved.from_phase, moved.to_phase, revision),
        event_type=PHASE_CHANGED,
        subject_id=moved.story_id,
        occurred_at=arrival.received_at,
        body={
            "event_type": PHASE_CHANGED,
            "story_id": moved.story_id,
            "timestamp": arrival.received_at,
            "from_phase": moved.from_phase,
            "to_phase": moved.to_phase,
            "transitioned_at": moved.timestamp,
            "plan_id": request.plan.plan_id if request else None,
            "revision": revision,
            "roles": list(request.plan.roles) if request else [],
        },
        correlation_id=arrival.correlation_id,
        causation_id=arrival.message_id,
        traceparent=arrival.traceparent,
    )


def _request(plan: Plan, revision: str, arrival: Arrival) -> PlanRequest:
    return PlanRequest(
        request_id=request_id(plan.plan_id, revision),
        plan=plan,
        revision=revision,
        correlation_id=arrival.correlation_id,
        causation_id=arrival.message_id,
        traceparent=arrival.traceparent,
        redelivered=arrival.redelivered,
    )


def _extra(payload: WireValue) -> dict[str, Any]:
    """What the publisher sent beside the fields we know, unless a plan has a field of that name."""
    extra = payload.model_extra or {}
    return {name: value for name, value in extra.items() if name not in Plan.model_fields}


def _iso(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()
