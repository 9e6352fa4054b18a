"""The rubric: what reviewers score a proposal on."""

from __future__ import annotations

from pydantic import Field, field_validator

from domain.value import Name, Value

MOST_CRITERIA = 8
"""Each is a digit of every ballot."""


class Criterion(Value):
    """One dimension of quality, scored 1 (worst) to 9 (best)."""

    name: Name
    description: str = ""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Relative to the other criteria's weights; any positive scale."""


class Rubric(Value):
    """Criteria in declared order; the order breaks ties (earlier counts first)."""

    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=MOST_CRITERIA)

    @field_validator("criteria")
    @classmethod
    def _names_differ(cls, criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        names = [criterion.name for criterion in criteria]
        if len(set(names)) != len(names):
            raise ValueError("criterion names must differ; rename one")
        return criteria

    @property
    def names(self) -> tuple[str, ...]:
        """Criterion names in declared order."""
        return tuple(criterion.name for criterion in self.criteria)


DEFAULT_RUBRIC = Rubric(
    criteria=(
        Criterion(name="fit", description="does what the plan asks, all of it"),
        Criterion(name="feasibility", description="can be carried out as written"),
        Criterion(name="clarity", description="concrete, ordered, free of filler"),
    )
)
