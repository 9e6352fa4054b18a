"""The published language: what every outgoing event's body holds. Schemas are written from these models.

The events are built in domain.events and domain.completed; a test holds every body against its model here. Fields
are only ever added: consumers of an older version must read on.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from domain import events
from domain.inbound import DeliberationRequested, StoryTransitioned
from domain.plan import Plan, WireValue
from domain.ranking import Agreement, Ranking
from domain.usage import Usage
from domain.value import Value


class Author(Value):
    agent_id: str
    role: str


class ProposalBody(Value):
    author: Author
    content: str
    revisions: list[str]
    """The author's other versions."""
    proposal_id: str
    model: str
    cut_off: bool
    """The text ended at its bound of tokens."""


class DecisionBody(Value):
    proposal: ProposalBody
    checks: dict[str, Any]
    """`overall_score` from 0 to 1, and one object a check."""
    score: float
    """What an average reviewer would give it, on the scale from 1 to 9."""
    rank: int
    """1 is best; equal ranks are shared."""


class Head(Value):
    """What the body of every event about a deliberation begins with."""

    event_type: str
    story_id: str
    task_id: str
    """The plan's id, under the name that existing consumers read."""
    timestamp: float
    """Epoch seconds."""
    deliberation_id: str
    plan_id: str
    role: str
    revision: str
    supersedes: str | None


class StartedBody(Head):
    agents: list[str]
    judges: list[str]
    models: list[str]
    rounds: int
    deadline: float
    """Epoch seconds."""


class ProgressBody(Head):
    stage: Literal["proposal", "ballot", "critique", "architect", "round", "ranked"]
    what: str
    """Key of what was done, such as `ballot/0/1/dev-1` (round, pass, agent)."""
    agent_id: str | None = None
    outcome: str | None = None
    """`proposal` or `failure`, for the stage proposal."""
    tokens: int | None = None


class FailureRow(Value):
    agent_id: str
    stage: Literal["proposal", "checks", "ballot"]
    reason: str
    detail: str


class FailedBody(Head):
    reason: str
    failures: list[FailureRow]


class CancelledBody(Head):
    reason: str


class BallotRow(Value):
    reviewer: str
    round: int
    pass_: int = Field(alias="pass")
    order: list[str]
    """Proposal ids as shown."""
    scores: dict[str, dict[str, int]]
    missing: str | None
    detail: str
    model: str
    usage: Usage
    duration_ms: float


class CritiqueRow(Value):
    reviewer: str
    proposal_id: str
    round: int
    text: str


class Winner(Value):
    proposal_id: str
    agent_id: str


class AgentUsage(Value):
    usage: Usage
    calls: int
    duration_ms: float


class TotalUsage(Usage):
    agents: dict[str, AgentUsage]


class CompletedBody(Head):
    decisions: list[DecisionBody]
    """Best first."""
    winner: Winner | None
    winner_changed: bool | None
    """Against the superseded decision; None where there was none."""
    decided_by: str
    p_winner: float | None
    tied: bool
    contested: bool
    agreement: Agreement
    ranking: Ranking
    ranking_inputs: dict[str, Any]
    """What the ranking was made from besides the ballots; with them it replays."""
    ballots: list[BallotRow]
    critiques: list[CritiqueRow]
    architect: dict[str, Any] | None
    synthesis: str | None
    """What the architect made of the best proposals, where the rules ask for it."""
    degraded: bool
    failures: list[FailureRow]
    rounds: int
    models: list[str]
    usage: TotalUsage
    duration_ms: float
    timings: dict[str, float]
    quorum: int


class RoleStarted(Value):
    role: str
    deliberation_id: str


class RoleFailed(RoleStarted):
    reason: str


class DispatchedBody(Value):
    event_type: str
    story_id: str
    task_id: str
    timestamp: float
    plan_id: str
    revision: str
    roles: list[str]
    started: list[RoleStarted]
    failed: list[RoleFailed]
    message: str


class PhaseChangedBody(Value):
    event_type: str
    story_id: str
    timestamp: float
    from_phase: str
    to_phase: str
    transitioned_at: str
    """ISO 8601, as the publisher wrote it."""
    plan_id: str | None
    revision: str
    roles: list[str]


OUTGOING: dict[str, type[Value]] = {
    events.STARTED: StartedBody,
    events.PROGRESS: ProgressBody,
    events.COMPLETED: CompletedBody,
    events.FAILED: FailedBody,
    events.CANCELLED: CancelledBody,
    events.DISPATCHED: DispatchedBody,
    events.PHASE_CHANGED: PhaseChangedBody,
}
"""Event type → model of its body."""
INCOMING: dict[str, type[WireValue]] = {
    "planning.plan.approved": Plan,
    "deliberation.requested": DeliberationRequested,
    "planning.story.transitioned": StoryTransitioned,
}
"""Subject → model of its payload."""
