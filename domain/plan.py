"""What is asked of the council: a plan with its roles, wherever it came from."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from domain.identity import digest
from domain.rubric import Rubric
from domain.value import Name, Value

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"\S")]
"""An id chosen by the publisher: kept as it is, never empty or blank."""
Text = Annotated[str, StringConstraints(max_length=200_000)]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


JsonList = BeforeValidator(_as_tuple)
"""Lets a strict tuple be read from JSON that is parsed already, where it is a list."""
CriterionTexts = Annotated[tuple[Text, ...], Field(max_length=200), JsonList]


class WireValue(BaseModel):
    """A frozen value from outside: types are not coerced, unknown fields are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, hide_input_in_errors=True)


class Constraints(WireValue):
    """What the publisher asks of this deliberation; None means the setting's default."""

    rubric: Rubric | None = None
    requirements: Annotated[tuple[Text, ...], JsonList] = ()
    rounds: int | None = Field(default=None, ge=0, le=5)
    num_agents: int | None = Field(default=None, ge=1, le=16)
    max_tokens: int | None = Field(default=None, ge=1, le=32_768)
    """Bound on one proposal's length, in tokens."""
    deadline_s: float | None = Field(default=None, gt=0, le=86_400)

    @field_validator("rubric", mode="before")
    @classmethod
    def _rubric_in_any_notation(cls, rubric: Any) -> Any:
        return parse_rubric(rubric) if isinstance(rubric, dict | list) else rubric


def parse_rubric(rubric: Any) -> Rubric:
    """Read `{"criteria": [...]}`, a list of names or criteria, or a mapping of name to weight or description.

    Raises pydantic's ValidationError (a ValueError) naming what does not fit.
    """
    if isinstance(rubric, dict) and "criteria" in rubric:
        rubric = rubric["criteria"]
    if isinstance(rubric, dict):
        rubric = [
            {"name": name, ("description" if isinstance(what, str) else "weight"): what}
            for name, what in rubric.items()
        ]
    if isinstance(rubric, list):
        rubric = [{"name": one} if isinstance(one, str) else one for one in rubric]
    return Rubric.model_validate({"criteria": rubric})


class Plan(WireValue):
    """An approved plan, the payload of `planning.plan.approved`."""

    story_id: Identifier
    plan_id: Identifier
    approved_by: Identifier
    timestamp: Identifier
    """ISO 8601, as the publisher wrote it."""
    roles: Annotated[tuple[Name, ...], Field(max_length=64), JsonList]
    title: Text = ""
    description: Text = ""
    acceptance_criteria: CriterionTexts = ()
    constraints: Constraints = Constraints()
    priority: str | int | None = None

    @field_validator("timestamp")
    @classmethod
    def _iso_8601(cls, timestamp: str) -> str:
        try:
            datetime.fromisoformat(timestamp)
        except ValueError:
            raise ValueError("must be ISO 8601, like 2026-01-31T12:00:00Z") from None
        return timestamp

    @field_validator("roles")
    @classmethod
    def _each_role_once(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(roles))

    @field_validator("constraints", mode="before")
    @classmethod
    def _none_is_none(cls, constraints: Any) -> Any:
        return {} if constraints is None else constraints


class PlanRequest(Value):
    """One order to deliberate, as accepted from outside: the plan and where it came from."""

    request_id: str
    """Derived from the plan's id and revision (`domain.identity`): the same approval has the same one."""
    plan: Plan
    revision: str
    """The approval's idempotency key, else its timestamp."""
    correlation_id: str = ""
    causation_id: str = ""
    """Id of the incoming message, for the events that follow from it."""
    traceparent: str = ""
    """W3C trace context of the incoming message; empty if it had none."""
    redelivered: bool = False
    """The message system delivered it before; only tracing cares."""
    place: str = ""
    """Where its message is stored, as STREAM:SEQUENCE; empty if it came by none, or to version 0.1."""
    content: str = ""
    """Digest of what is asked (`content_of`); empty in requests of version 0.1, which are equal to all others."""

    def asks_as(self, other: PlanRequest) -> bool:
        """Whether this request asks for what another one under the same id asks for, as far as both tell."""
        return not self.content or not other.content or self.content == other.content


WHO_AND_WHEN = frozenset({"approved_by", "requested_by", "timestamp"})
"""Fields that are no content: a publisher that tries again may sign and stamp its message anew."""


def content_of(payload: WireValue) -> str:
    """Digest what a payload asks for: its known fields but who asks and when, roles in any order."""
    known = dict.fromkeys(type(payload).model_fields.keys() - WHO_AND_WHEN, True)
    include = known | {"constraints": dict.fromkeys(Constraints.model_fields, True)}
    # Defaults are left out, so that a field that a later version adds changes no digest.
    fields = payload.model_dump(mode="json", include=include, exclude_defaults=True)
    asked = {name: sorted(value) if name == "roles" else value for name, value in fields.items() if value}
    return digest(json.dumps(asked, sort_keys=True))
