"""The form of a plan: its fields as texts, the payload that they make, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from domain.plan import Plan, content_of
from domain.rubric import Criterion
from domain.validation.validate import InvalidInput, Mistake, validate
from domain.value import Value

NUMBERS = ("rounds", "num_agents", "max_tokens", "deadline_s")
WORDS = ("title", "description", "notes", "priority", "plan_id", "story_id")
CRITERION = re.compile(r"(?P<name>[^=:]+)(?:=(?P<weight>[^:]+))?(?::(?P<description>.*))?", re.DOTALL)


class PlanForm(Value):
    """What stands in the form, as people wrote it."""

    title: str = ""
    description: str = ""
    acceptance_criteria: str = ""
    roles: tuple[str, ...] = ()
    requirements: str = ""
    rubric: str = ""
    """A criterion a line, `name`, `name = weight`, `name: description` or all three."""
    rounds: str = ""
    num_agents: str = ""
    max_tokens: str = ""
    deadline_s: str = ""
    notes: str = ""
    priority: str = ""
    plan_id: str = ""
    story_id: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, Sequence[str]]) -> PlanForm:
        """Take the fields of a form; whatever it does not know stays out."""
        texts = {name: fields[name][-1] for name in cls.model_fields if name != "roles" and name in fields}
        return cls(**texts, roles=tuple(fields.get("roles", ())))

    @classmethod
    def of(cls, plan: Plan) -> PlanForm | None:
        """Fill the form with a plan; None where the form has no place for a part of it."""
        bounds = plan.constraints
        form = cls(
            title=plan.title,
            description=plan.description,
            acceptance_criteria="\n".join(plan.acceptance_criteria),
            roles=plan.roles,
            requirements="\n".join(bounds.requirements),
            rubric="\n".join(_line(criterion) for criterion in bounds.rubric.criteria) if bounds.rubric else "",
            **{name: _written(getattr(bounds, name)) for name in NUMBERS},
            notes=plan.notes if isinstance(plan.notes, str) else "",
            priority=_written(plan.priority),
            plan_id=plan.plan_id,
            story_id=plan.story_id,
        )
        return form if form._says_all_of(plan) else None

    @property
    def payload(self) -> dict[str, JsonValue]:
        """Return the payload that the form makes; what is left empty is left out."""
        payload: dict[str, Any] = {name: text for name in WORDS if (text := _unix(getattr(self, name)).strip())}
        bounds: dict[str, Any] = {name: _number(text) for name in NUMBERS if (text := getattr(self, name).strip())}
        bounds |= {"requirements": lines} if (lines := _lines(self.requirements)) else {}
        bounds |= {"rubric": [*_criteria(self.rubric)]} if _lines(self.rubric) else {}
        payload |= {"acceptance_criteria": lines} if (lines := _lines(self.acceptance_criteria)) else {}
        payload |= {"constraints": bounds} if bounds else {}
        return {**payload, "roles": list(self.roles)}

    def _says_all_of(self, plan: Plan) -> bool:
        who_and_when = {"approved_by": plan.approved_by, "timestamp": plan.timestamp}
        try:
            said = validate(Plan, {**self.payload, **who_and_when})
        except InvalidInput:
            return False
        return content_of(said) == content_of(plan) and not plan.model_extra and not plan.constraints.model_extra


def field_of(mistake: Mistake) -> str:
    """Return the field of the form that a mistake is about; empty where it is about none of them."""
    place = mistake.place[1:] if mistake.place[:1] == ("constraints",) else mistake.place
    name = str(place[0]) if place else ""
    return name if name in PlanForm.model_fields else ""


def payload_of(plan: Plan) -> dict[str, JsonValue]:
    """Return what the plan's publisher wrote, without who approved it when."""
    payload: dict[str, JsonValue] = plan.model_dump(
        mode="json", exclude_defaults=True, exclude={"approved_by", "timestamp"}
    )
    return payload


def now() -> str:
    """Return the present as a plan's timestamp."""
    return datetime.now(UTC).isoformat()


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in _unix(text).split("\n") if line.strip()]


def _number(text: str) -> int | float | str:
    """Read a number; what is none is left to validation, which says so."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _written(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _line(criterion: Criterion) -> str:
    weight = f" = {criterion.weight:g}" if criterion.weight != 1 else ""
    return f"{criterion.name}{weight}" + (f": {criterion.description}" if criterion.description else "")


def _criteria(text: str) -> Iterator[dict[str, JsonValue]]:
    for line in _lines(text):
        found = CRITERION.fullmatch(line)
        if found is None:  # it begins with a mark, and has no name
            yield {"name": ""}
            continue
        criterion: dict[str, JsonValue] = {"name": found["name"].strip()}
        if found["weight"]:
            criterion["weight"] = _number(found["weight"].strip())
        if found["description"]:
            criterion["description"] = found["description"].strip()
        yield criterion
