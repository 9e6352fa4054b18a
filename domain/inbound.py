"""What events from outside ask for: plan requests for the councils, and events that answer.

Knows payloads, not how they travel: an `InboundEvent` is a message with its dialect taken off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    JsonValue,
    SkipValidation,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from domain.contract import PhaseChangedBody
from domain.event import Event
from domain.event_types import PHASE_CHANGED
from domain.identity import digest, event_id, request_id
from domain.moments import epoch_s
from domain.plan import (
    Constraints,
    CriterionTexts,
    Identifier,
    NotedValue,
    Plan,
    PlanRequest,
    Text,
    Timestamp,
    WireValue,
    content_of,
    each_role_once,
    title_of_phase,
)
from domain.validation.validate import validate
from domain.value import Name, Value
from domain.verdict import TIMEOUT, Opinion, SaidVerdict, verdict_id

JsonObject = Mapping[str, JsonValue]


class InboundEvent(Value):
    """One event from outside, whatever it was wrapped in."""

    payload: SkipValidation[JsonObject]
    """A JSON object, parsed: without half surrogate pairs, NaN or infinity. Not copied, so never changed."""
    key: str = ""
    """What its publisher calls it: the same key means the same request. Empty if it has none."""
    place: str = ""
    """Where the message is stored, as STREAM:SEQUENCE; empty for one that is not."""
    message_id: str = ""
    """How events that follow from it name it as their cause."""
    correlation_id: str = ""
    traceparent: str = ""
    redelivered: bool = False
    received_at: float
    """Epoch seconds when the message system stored it; the same for every delivery."""


class Intake(Value):
    """What follows from one event."""

    requests: tuple[PlanRequest, ...] = ()
    verdicts: tuple[SaidVerdict, ...] = ()
    events: tuple[Event, ...] = ()


QuestionText = Annotated[str, StringConstraints(min_length=1, max_length=200_000, pattern=r"\S")]
ReasonText = Annotated[str, StringConstraints(max_length=10_000)]


def _person(name: str) -> str:
    if name.casefold() == TIMEOUT:
        raise ValueError(
            f"must name a person; {TIMEOUT} is what a verdict is signed with that nobody gave in time"
        )
    return name


class DeliberationRequested(NotedValue):
    """The payload of `deliberation.requested`: one role, one question, no plan."""

    role: Name
    question: QuestionText
    request_id: Identifier | None = None
    """Names the question; the same id again is the same deliberation. None: derived from the content."""
    story_id: Identifier | None = None
    requested_by: Identifier | None = None
    timestamp: Timestamp | None = None
    title: Text = ""
    acceptance_criteria: CriterionTexts = ()
    constraints: Constraints | None = None
    priority: str | int | None = None

    @property
    def plan_id(self) -> str:
        """The request's own id, else one derived from its content."""
        return self.request_id or f"q-{digest(self.role, self.question, self.story_id or '', *self._bounds)}"

    @property
    def _bounds(self) -> tuple[str, ...]:
        constraints = self.constraints.model_dump_json() if self.constraints else ""
        return (constraints, *self.acceptance_criteria)


class StoryTransitioned(NotedValue):
    """The payload of `planning.story.transitioned`."""

    story_id: Identifier
    from_phase: Name = Field(validation_alias=AliasChoices("from_phase", "from_state"))
    to_phase: Name = Field(validation_alias=AliasChoices("to_phase", "to_state"))
    timestamp: Timestamp
    plan_id: Identifier | None = None
    """The plan that the phase works on; None: the story in that phase is what is deliberated."""
    title: Text = ""
    description: Text = ""
    acceptance_criteria: CriterionTexts = ()
    constraints: Constraints | None = None


class DeliberationJudged(WireValue):
    """The payload of `deliberation.judged`: what a person says of a decision."""

    deliberation_id: Identifier
    verdict: Opinion
    proposal: Identifier | None = Field(default=None, validate_default=True)
    """For prefer, and for nothing else: the id of the better proposal, or of the agent that wrote it."""
    by: Annotated[Name, AfterValidator(_person)]
    reason: ReasonText = ""
    timestamp: Timestamp

    @field_validator("proposal")
    @classmethod
    def _named_for_prefer_alone(cls, proposal: str | None, info: ValidationInfo) -> str | None:
        verdict = info.data.get("verdict")
        if verdict == "prefer" and proposal is None:
            raise ValueError("must name what is preferred; give a proposal's id, or its author's")
        if verdict in ("accept", "reject") and proposal is not None:
            raise ValueError(f"must not stand beside {verdict}; leave it out, or say prefer")
        return proposal


INCOMING: dict[str, type[WireValue]] = {
    "planning.plan.approved": Plan,
    "deliberation.requested": DeliberationRequested,
    "planning.story.transitioned": StoryTransitioned,
    "deliberation.judged": DeliberationJudged,
}
"""Subject → model of its payload."""


def plan_approved(event: InboundEvent, default_roles: tuple[str, ...] = ()) -> Intake:
    """Accept an approved plan, for the default roles where it has no list of its own; an empty one is its own.

    Raises InvalidInput where the payload does not fit.
    """
    plan = validate(Plan, event.payload)
    listed = event.payload.get("roles") is not None
    asked = plan if listed else plan.model_copy(update={"roles": each_role_once(default_roles)})
    return Intake(requests=(_request(asked, event.key or plan.timestamp, event, asked=plan),))


def deliberation_requested(event: InboundEvent) -> Intake:
    """Accept a question as a plan of one role, described by the question. Raises InvalidInput."""
    question = validate(DeliberationRequested, event.payload)
    plan = _plan(
        question,
        story_id=question.story_id or question.plan_id,
        plan_id=question.plan_id,
        approved_by=question.requested_by or "anonymous",
        timestamp=question.timestamp or _iso(event.received_at),
        roles=(question.role,),
        title=question.title,
        description=question.question,
        priority=question.priority,
    )
    # Without a key and a time of its own, the same question is the same deliberation however often it is sent.
    revision = event.key or question.timestamp or plan.plan_id
    return Intake(requests=(_request(plan, revision, event, asked=question),))


def deliberation_judged(event: InboundEvent) -> Intake:
    """Accept a person's verdict. Raises InvalidInput."""
    judged = validate(DeliberationJudged, event.payload)
    said = SaidVerdict(
        verdict_id=verdict_id(judged.deliberation_id, by=judged.by, judged_at=judged.timestamp, key=event.key),
        deliberation_id=judged.deliberation_id,
        verdict=judged.verdict,
        proposal=judged.proposal or "",
        by=judged.by,
        reason=judged.reason,
        judged_at=judged.timestamp,
        # A time to come would stand above all that its author says later.
        said_at=min(epoch_s(judged.timestamp), event.received_at),
        causation_id=event.message_id,
        place=event.place,
    )
    return Intake(verdicts=(said,))


def story_transitioned(event: InboundEvent, phases: Mapping[str, tuple[str, ...]]) -> Intake:
    """Answer the transition with an event, and ask the roles that `phases` names for the phase entered, if any.

    Raises InvalidInput where the payload does not fit.
    """
    transition = validate(StoryTransitioned, event.payload)
    revision = event.key or transition.timestamp
    roles = tuple(phases.get(transition.to_phase, ()))
    requests = (_request(_plan_of_phase(transition, roles), revision, event, asked=transition),) if roles else ()
    return Intake(requests=requests, events=(_phase_changed(transition, revision, requests, event),))


def _plan_of_phase(transition: StoryTransitioned, roles: tuple[str, ...]) -> Plan:
    return _plan(
        transition,
        story_id=transition.story_id,
        plan_id=transition.plan_id or f"{transition.story_id}:{transition.to_phase}",
        approved_by="planning.story.transitioned",
        timestamp=transition.timestamp,
        roles=roles,
        title=transition.title or title_of_phase(transition.story_id, transition.to_phase),
        description=transition.description,
    )


def _plan(payload: DeliberationRequested | StoryTransitioned, **fields: Any) -> Plan:
    """Make the plan that another payload asks for, with the unknown fields that the payload has beside its own."""
    extra = {name: value for name, value in (payload.model_extra or {}).items() if name not in Plan.model_fields}
    constraints = payload.constraints or Constraints()
    criteria = payload.acceptance_criteria
    notes = {name: getattr(payload, name) for name in NotedValue.model_fields}
    return validate(Plan, extra | notes | fields | {"constraints": constraints, "acceptance_criteria": criteria})


def _phase_changed(
    transition: StoryTransitioned, revision: str, requests: tuple[PlanRequest, ...], event: InboundEvent
) -> Event:
    request = requests[0] if requests else None
    return Event(
        event_id=event_id(
            PHASE_CHANGED, transition.story_id, transition.from_phase, transition.to_phase, revision
        ),
        event_type=PHASE_CHANGED,
        subject_id=transition.story_id,
        occurred_at=event.received_at,
        body=PhaseChangedBody(
            event_type=PHASE_CHANGED,
            story_id=transition.story_id,
            timestamp=event.received_at,
            from_phase=transition.from_phase,
            to_phase=transition.to_phase,
            transitioned_at=transition.timestamp,
            plan_id=request.plan.plan_id if request else None,
            revision=revision,
            roles=request.plan.roles if request else (),
        ),
        correlation_id=event.correlation_id,
        causation_id=event.message_id,
        traceparent=event.traceparent,
    )


def _request(plan: Plan, revision: str, event: InboundEvent, *, asked: WireValue) -> PlanRequest:
    """Return the order to deliberate on a plan; its content is the payload, not what settings make of it."""
    return PlanRequest(
        request_id=request_id(plan.plan_id, revision),
        plan=plan,
        revision=revision,
        correlation_id=event.correlation_id,
        causation_id=event.message_id,
        traceparent=event.traceparent,
        redelivered=event.redelivered,
        place=event.place,
        content=content_of(asked),
    )


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
