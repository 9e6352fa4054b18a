"""Councils: who deliberates for a role."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from pydantic import Field, field_validator

from domain.thinking import Thinking
from domain.validation.near_names import closest
from domain.value import Name, Value

MAX_AGENTS = 16
"""Exact aggregation of ballots is bounded by this (domain.ranking)."""


class Agent(Value):
    """One member of a council: a persona and how its model is sampled."""

    agent_id: Name
    persona: str = Field(default="", max_length=4000)
    """How this agent thinks; what makes its proposal differ from its neighbours'."""
    model: Name | None = None
    """The served model's name; None means the model in settings."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    seed: int | None = None
    thinking: Thinking | None = None
    """Whether its model thinks before it writes; None means what settings say."""

    @property
    def spoken_persona(self) -> str:
        """The persona on one line, as prompts end with it."""
        return " ".join(self.persona.split())


def voice_of(agent: Agent, default_model: str = "") -> str:
    """Return a short key of what makes an agent's ballots its own: model and persona, blanks and case aside.

    Agents of one voice are copies as reviewers: they are asked the same question at temperature 0, so neither
    temperature, nor seed, nor whether they think while they propose makes another opinion of theirs.
    """
    told = f"{agent.model or default_model}\n{agent.spoken_persona.casefold()}"
    return sha256(told.encode()).hexdigest()[:12]


class Council(Value):
    """The agents asked when a plan names `role`."""

    role: Name
    agents: tuple[Agent, ...] = Field(min_length=1, max_length=MAX_AGENTS)
    architect: Agent | None = None
    """Asked only where the top is tied or contested."""

    @property
    def members(self) -> tuple[Agent, ...]:
        """Everyone whose model a deliberation may ask: the agents, then the architect if there is one."""
        return self.agents if self.architect is None else (*self.agents, self.architect)

    @field_validator("agents")
    @classmethod
    def _ids_differ(cls, agents: tuple[Agent, ...]) -> tuple[Agent, ...]:
        ids = [agent.agent_id for agent in agents]
        doubled = sorted({agent_id for agent_id in ids if ids.count(agent_id) > 1})
        if doubled:
            raise ValueError(f"agent ids must differ within a council; {', '.join(doubled)} occurs twice")
        return agents


NO_COUNCIL: Final = "no council for role"
"""What the reason of a failure begins with where the role has no council; consumers tell it from others so."""


def council_of(role: str, by_role: Mapping[str, Council]) -> Council | None:
    """Return the role's council, whatever the case of its letters; None where there is none, or several do.

    Of several that differ in case alone, the one written exactly so is meant.
    """
    alike = [council for name, council in by_role.items() if name.casefold() == role.casefold()]
    return by_role.get(role) or (alike[0] if len(alike) == 1 else None)


def no_council(role: str, by_role: Mapping[str, Council]) -> str:
    """Say that the role has no council, and what to do: write the one that was likely meant, or apply one."""
    nearest = closest(role, by_role)
    write = f"write {nearest}, or " if nearest else ""
    there_are = ", ".join(sorted(by_role)) or "none"
    return f"{NO_COUNCIL} {role}: {write}apply one with `conclave council apply FILE` (there are: {there_are})"
