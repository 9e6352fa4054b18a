"""The parts that bodies of outgoing events are made of; domain.contract says what holds for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import ConfigDict, Field

from domain.chat import Usage
from domain.prices import Cost
from domain.value import OpenValue


class Author(OpenValue):
    """The agent that wrote a proposal, and the role of its council."""

    agent_id: str
    role: str


class ProposalBody(OpenValue):
    """A proposal with its author and its other versions."""

    author: Author
    content: str
    revisions: tuple[str, ...]
    """The author's other versions."""
    proposal_id: str
    model: str
    cut_off: bool
    """The text ended at its bound of tokens."""


class CheckRow(OpenValue):
    """What one check found."""

    passed: bool
    score: float
    """1 is faultless, 0 the worst."""
    reason: str
    judged: bool = True
    """False where the check could not tell: it exceeded a bound, or lacked what it needs. It then counts neither
    for nor against the proposal."""


class ChecksBody(OpenValue):
    """The overall score, and one object for each check under the check's name."""

    __pydantic_extra__: dict[str, CheckRow]
    overall_score: float
    """From 0 to 1."""

    @property
    def rows(self) -> Mapping[str, CheckRow]:
        """Check name → what that check found, in the order in which the checks ran."""
        return self.__pydantic_extra__


class DecisionBody(OpenValue):
    """A proposal with what checks and reviewers found, and its place."""

    proposal: ProposalBody
    checks: ChecksBody
    score: float
    """What an average reviewer would give it, on the scale from 1 to 9."""
    rank: int
    """1 is best; equal ranks are shared."""
    id: str = ""
    """Deliberation and proposal id, so that it is unique over roles and plans. Empty in events of version 0.1."""
    type: str = "TECHNICAL"
    """The kind of decision, under the name and with the word that existing consumers take."""
    checklist: tuple[float, ...] = ()
    """How far it meets each acceptance criterion of the plan, in its order: from 0 to 1, the mean probability of
    yes over independent voices. Empty where no checklist was asked; no part of the rank."""
    criteria_met: float | None = None
    """Share of these above one half; null where there are none."""
    rationale: str = ""
    """Why, in the proposal's own first sentences about that (`domain.text.rationale`)."""


class FailureRow(OpenValue):
    """An agent that failed, at which stage and why."""

    agent_id: str
    stage: Literal["proposal", "checks", "ballot"]
    reason: str
    detail: str


class BallotRow(OpenValue):
    """One reviewer's scores in one pass, or why they are missing."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    reviewer: str
    round: int
    pass_: int = Field(alias="pass")
    order: tuple[str, ...]
    """Proposal ids as shown side by side; empty where each was shown alone."""
    scores: dict[str, dict[str, int]]
    """proposal id → criterion → 1 to 9, as written."""
    form: Literal["digits", "lines", "pointwise"] = "digits"
    """How they were asked for: `digits` side by side, `lines`, one for each score, or `pointwise`, lines in a call
    for each proposal."""
    expected: dict[str, dict[str, float]] = {}
    """The means under the model's probabilities, which count in place of `scores`; empty where unknown."""
    met: dict[str, tuple[bool, ...]] = {}
    """proposal id → whether it meets each acceptance criterion of the plan, in its order, as written; empty where
    no checklist was asked."""
    p_met: dict[str, tuple[float, ...]] = {}
    """The model's probabilities of yes, which count in place of `met`; empty where unknown."""
    missing: str | None
    gaps: dict[str, str] = {}
    """proposal id → why the call about it gave no score."""
    detail: str
    model: str
    usage: Usage
    duration_ms: float


class ComparisonRow(OpenValue):
    """Which of two tied proposals a reviewer found better, or why that is missing."""

    reviewer: str
    round: int
    first: str
    """The proposal id that was named first."""
    second: str
    choice: str | None
    """The proposal id of the better one, as written."""
    p_first: float | None
    """The model's probability of the first, which counts in place of `choice`; null where unknown."""
    missing: str | None
    detail: str
    model: str
    usage: Usage
    duration_ms: float


class CritiqueRow(OpenValue):
    """What a reviewer wrote about a proposal."""

    reviewer: str
    proposal_id: str
    round: int
    text: str


class ArchitectRow(OpenValue):
    """The architect's choice among the proposals that the vote could not tell apart."""

    agent_id: str
    round: int
    model: str
    engine: str
    duration_ms: float
    task: Literal["choice", "synthesis"]
    choice: str | None
    """The proposal id it chose; None if it chose none."""
    synthesis: str
    missing: str | None
    """Why there is no answer."""


class Winner(OpenValue):
    """The proposal that won, and its author."""

    proposal_id: str
    agent_id: str


class AgentUsage(OpenValue):
    """What one agent's model calls took."""

    usage: Usage
    calls: int
    duration_ms: float
    cost: Cost | None = None
    """None where no prices are set."""


class TotalUsage(Usage):
    """What all model calls took, together and by agent id."""

    agents: dict[str, AgentUsage]
    saved_calls: int = 0
    """Calls of ballots that were not made, since another reviewer of the same voice was asked the same."""
    cost: Cost | None = None
    """The agents' costs added up, by the prices at the end; None where no prices are set."""


class RoleStarted(OpenValue):
    """A role whose deliberation was opened."""

    role: str
    deliberation_id: str


class RoleFailed(RoleStarted):
    """A role that could not be asked, and why."""

    reason: str
