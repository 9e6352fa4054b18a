"""What is asked of the council: a plan with its roles, wherever it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    StringConstraints,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError

from domain.identity import digest
from domain.moments import iso_8601
from domain.notes import texts_of
from domain.rubric import MOST_CRITERIA as MOST_OF_RUBRIC
from domain.rubric import Rubric
from domain.value import Name, Value

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"\S")]
"""An id chosen by the publisher: kept as it is, never empty or blank."""
Text = Annotated[str, StringConstraints(max_length=200_000)]
Timestamp = Annotated[Identifier, AfterValidator(iso_8601)]
"""ISO 8601, as the publisher wrote it."""


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _at_most(entries: int, *, but_texts: bool = False) -> BeforeValidator:
    """Refuse a list of more before any entry is looked at: an error for each of a megabyte's takes half a second.

    `but_texts` lets a list of texts pass: earlier versions have stored some, and `Limits` counts them at intake.
    """

    def count(value: Any) -> Any:
        too_long = isinstance(value, list) and len(value) > entries
        if too_long and not (but_texts and all(isinstance(entry, str) for entry in value)):
            told = {"field_type": "List", "max_length": entries, "actual_length": len(value)}
            raise PydanticKnownError("too_long", told)
        return value

    return BeforeValidator(count)


JsonList = BeforeValidator(_as_tuple)
"""Lets a strict tuple be read from JSON that is parsed already, where it is a list."""
MOST_ROLES, MOST_CRITERIA, MOST_TEXTS = 64, 200, 2_000
"""Entries of a plan's lists; the last of all its texts together, each of which is a line of every prompt."""
RoleList = Annotated[list[Name], Field(max_length=MOST_ROLES)]
RolesFromJson = BeforeValidator(
    lambda value: () if value is None else _as_tuple(value), json_schema_input_type=RoleList | None
)
CriterionTexts = Annotated[tuple[Text, ...], Field(max_length=MOST_CRITERIA), JsonList, _at_most(MOST_CRITERIA)]


class WireValue(BaseModel):
    """A frozen value from outside: types are not coerced, unknown fields are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, hide_input_in_errors=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell the other names under which a field is read, which pydantic leaves out."""
        schema = handler.resolve_ref_schema(handler(core))
        for name, field in cls.model_fields.items():
            if handler.mode == "validation" and isinstance(field.validation_alias, AliasChoices):
                _tell_other_names(schema, name, [str(other) for other in field.validation_alias.choices[1:]])
        return schema


def _tell_other_names(schema: JsonSchemaValue, name: str, others: list[str]) -> None:
    told = schema["properties"][name] | {"title": f"In place of {name}"}
    instead = [{"required": [other], "properties": {other: told}} for other in others]
    schema["required"] = [field for field in schema["required"] if field != name]
    schema.setdefault("allOf", []).append({"anyOf": [{"required": [name]}, *instead]})


class NotedValue(WireValue):
    """A payload with notes beside its own texts. Any JSON is kept; agents see its texts (`domain.notes`)."""

    notes: JsonValue = Field(default=None, exclude_if=lambda value: value is None)
    tasks_outline: JsonValue = Field(default=None, exclude_if=lambda value: value is None)
    po_notes: JsonValue = Field(default=None, exclude_if=lambda value: value is None)
    po_concerns: JsonValue = Field(default=None, exclude_if=lambda value: value is None)

    @property
    def noted(self) -> dict[str, tuple[str, ...]]:
        """The texts of the notes under their headings, in the order in which agents see them."""
        by_heading = {
            "Outline of the tasks": self.tasks_outline,
            "Notes": self.notes,
            "Notes of the product owner": self.po_notes,
            "Concerns of the product owner": self.po_concerns,
        }
        return {heading: texts for heading, value in by_heading.items() if (texts := texts_of(value))}


class Constraints(WireValue):
    """What the publisher asks of this deliberation; None means the setting's default."""

    rubric: Rubric | None = None
    requirements: Annotated[tuple[Text, ...], JsonList, _at_most(MOST_TEXTS, but_texts=True)] = ()
    rounds: int | None = Field(default=None, ge=0, le=5)
    num_agents: int | None = Field(default=None, ge=1, le=16)
    max_tokens: int | None = Field(default=None, ge=1, le=32_768)
    """Bound on one proposal's length, in tokens."""
    deadline_s: float | None = Field(default=None, gt=0, le=86_400)
    output_schema: dict[str, JsonValue] | None = Field(default=None, exclude_if=lambda value: value is None)
    """JSON Schema that every proposal must satisfy; what it may be is said by `domain.output_schema`."""

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
        counted = rubric[: MOST_OF_RUBRIC + 1]  # one too many is refused like a megabyte of them
        rubric = [{"name": one} if isinstance(one, str) else one for one in counted]
    return Rubric.model_validate({"criteria": rubric})


def each_role_once(roles: Iterable[str]) -> tuple[str, ...]:
    """Return the roles in their order, each under its first spelling: their case makes no difference."""
    first: dict[str, str] = {}
    for role in roles:
        first.setdefault(role.casefold(), role)
    return tuple(first.values())


def title_of_phase(story_id: str, phase: str) -> str:
    """Name a plan that only a story's phase is known of."""
    return f"Story {story_id}: {phase}"


class Plan(NotedValue):
    """An approved plan, the payload of `planning.plan.approved`."""

    story_id: Identifier
    plan_id: Identifier
    approved_by: Identifier
    timestamp: Timestamp = Field(validation_alias=AliasChoices("timestamp", "approved_at"))
    roles: Annotated[tuple[Name, ...], Field(max_length=MOST_ROLES), RolesFromJson, _at_most(MOST_ROLES)] = ()
    title: Text = ""
    description: Text = ""
    acceptance_criteria: CriterionTexts = ()
    constraints: Constraints = Constraints()
    priority: str | int | None = None

    @field_validator("roles")
    @classmethod
    def _each_role_once(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        return each_role_once(roles)

    @field_validator("constraints", mode="before")
    @classmethod
    def _none_is_none(cls, constraints: Any) -> Any:
        return {} if constraints is None else constraints

    @property
    def urgency(self) -> str | int | None:
        """The priority; where there is none, the one that the old system's reviewers adjust it to."""
        adjusted = (self.model_extra or {}).get("priority_adjustment")
        return adjusted if self.priority is None and isinstance(adjusted, str) else self.priority

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that its publisher wrote for agents to read, but the rubric."""
        noted = (text for texts in self.noted.values() for text in texts)
        written = (self.title, self.description, *self.acceptance_criteria, *self.constraints.requirements)
        return (*written, *noted)

    @property
    def is_bare(self) -> bool:
        """Whether agents see nothing of it but ids and a phase."""
        only_ids = self.title.startswith(title_of_phase(self.story_id, ""))
        return not any(text.strip() for text in self.texts[only_ids:])


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
