"""What may be asked of one deliberation at most; the operator's word, handed in by settings."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import Field

from domain.council import MAX_AGENTS
from domain.plan import MOST_TEXTS, Plan
from domain.value import Value


class Limits(Value):
    """Bounds that the operator may draw tighter than the contract does; what is beyond is refused, never cut."""

    plan_chars: int = Field(default=200_000, ge=1)
    """Characters of a plan's texts together: title, description, criteria, requirements, notes, rubric,
    output schema."""
    roles: int = Field(default=64, ge=1, le=64)
    """Roles of one plan; each is a deliberation."""
    agents: int = Field(default=MAX_AGENTS, ge=1, le=MAX_AGENTS)
    """Agents of one council; ballots grow with the square, and the ranking is exact up to sixteen."""
    rounds: int = Field(default=5, ge=0, le=5)
    """Critique-and-revise rounds that a plan may ask for."""
    max_tokens: int = Field(default=32_768, ge=1, le=32_768)
    """Tokens of one proposal that a plan may ask for."""
    deadline_s: float = Field(default=86_400.0, gt=0, le=86_400)
    """Seconds from opening to decision that a plan may ask for: a day."""
    proposal_chars: int = Field(default=40_000, ge=1, le=200_000)
    """Characters of one proposal: twice what the check on length finds readable, so that events stay sendable."""

    def refusals(self, plan: Plan) -> tuple[str, ...]:
        """Return a sentence for everything that the plan asks too much of; none if it keeps within all bounds."""
        return tuple(self._refusals(plan))

    def _refusals(self, plan: Plan) -> Iterator[str]:
        asked = plan.constraints
        length = _length(plan)
        if length > self.plan_chars:
            yield f"the plan's texts have {length} characters, {self.plan_chars} are allowed; shorten them"
        if len(plan.texts) > MOST_TEXTS:
            yield f"the plan has {len(plan.texts)} texts, {MOST_TEXTS} are allowed; join some of them"
        if len(plan.roles) > self.roles:
            yield f"field roles names {len(plan.roles)} roles, {self.roles} are allowed; send several plans"
        for name, wanted, allowed in (
            ("rounds", asked.rounds, self.rounds),
            ("num_agents", asked.num_agents, self.agents),
            ("max_tokens", asked.max_tokens, self.max_tokens),
            ("deadline_s", asked.deadline_s, self.deadline_s),
        ):
            if wanted is not None and wanted > allowed:
                yield f"field constraints.{name} asks for {wanted:g}, {allowed:g} are allowed; ask for less"


CONTRACT = Limits()
"""What holds where the operator draws no bounds of their own."""


def _length(plan: Plan) -> int:
    texts = list(plan.texts)
    if plan.constraints.rubric is not None:
        texts += [one.name + one.description for one in plan.constraints.rubric.criteria]
    if plan.constraints.output_schema is not None:
        texts.append(json.dumps(plan.constraints.output_schema, ensure_ascii=False))
    return sum(map(len, texts))
