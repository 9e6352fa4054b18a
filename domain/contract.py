"""The published language: what every outgoing event's body holds. Production builds these values, stores them and
reads them; schemas are written from them.

Fields are only ever added, and with a default: consumers of an older version must read on, and what an older
version stored must be read.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domain import event_types
from domain.contract_rows import (
    ArchitectRow,
    BallotRow,
    ComparisonRow,
    CritiqueRow,
    DecisionBody,
    FailureRow,
    ProposalBody,
    RoleFailed,
    RoleStarted,
    TotalUsage,
    Winner,
)
from domain.ranking import Agreement, Ranking, RankingInputs
from domain.value import OpenValue
from domain.verdict import Opinion


class DeliberationHead(OpenValue):
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


class StartedBody(DeliberationHead):
    """A council was asked."""

    event_type: Literal["orchestration.deliberation.started"]
    agents: tuple[str, ...]
    judges: tuple[str, ...]
    models: tuple[str, ...]
    rounds: int
    deadline: float
    """Epoch seconds."""


ProgressStage = Literal["proposal", "ballot", "comparison", "critique", "architect", "round", "ranked"]


class ProgressBody(DeliberationHead):
    """One step was done. Fields that its stage does not have are left out of the JSON object."""

    event_type: Literal["orchestration.deliberation.progress"]
    stage: ProgressStage
    what: str
    """Key of what was done, such as `ballot/0/1/dev-1` (round, pass, agent)."""
    agent_id: str | None = Field(default=None, exclude_if=lambda value: value is None)
    outcome: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """`proposal` or `failure`, for the stage proposal."""
    tokens: int | None = Field(default=None, exclude_if=lambda value: value is None)


class FailedBody(DeliberationHead):
    """A deliberation ended without a decision, or could not be opened."""

    event_type: Literal["orchestration.deliberation.failed"]
    reason: str
    failures: tuple[FailureRow, ...]
    proposals: tuple[ProposalBody, ...] = ()
    """What was proposed all the same, in council order: each author's last version."""
    usage: TotalUsage | None = None
    """None where no model was asked, and in events of version 0.1."""


class CancelledBody(DeliberationHead):
    """An operator or a program ended a deliberation."""

    event_type: Literal["orchestration.deliberation.cancelled"]
    reason: str
    usage: TotalUsage | None = None
    """Of answers that were recorded; None in events of version 0.1."""


class CompletedBody(DeliberationHead):
    """A decision with everything it was made from; stored, it replays."""

    event_type: Literal["orchestration.deliberation.completed"]
    decisions: tuple[DecisionBody, ...]
    """Best first."""
    winner: Winner | None
    winner_changed: bool | None
    """Against the superseded decision; None where there was none."""
    decided_by: str
    p_winner: float | None
    """Calibrated probability that people would call the winner best; None where fewer than two voices compared."""
    stability: float | None = None
    """Share of resampled panels in which the winner stays first."""
    independent_voices: int | None = None
    """Voices whose ballots compared proposals; copies of one reviewer are one voice."""
    tied: bool
    contested: bool
    agreement: Agreement
    ranking: Ranking
    ranking_inputs: RankingInputs
    """What the ranking was made from besides the ballots; with them it replays."""
    ballots: tuple[BallotRow, ...]
    second_look: tuple[ComparisonRow, ...] = ()
    """Which of two tied proposals reviewers found better, asked both ways round; empty where it was not asked."""
    critiques: tuple[CritiqueRow, ...]
    architect: ArchitectRow | None
    synthesis: str | None
    """What the architect made of the best proposals, where the rules ask for it."""
    degraded: bool
    failures: tuple[FailureRow, ...]
    rounds: int
    models: tuple[str, ...]
    usage: TotalUsage
    duration_ms: float
    timings: dict[str, float]
    quorum: int
    awaiting_verdict: bool = False
    """Whether it counts only by `orchestration.decision.judged`."""
    counts_at: float | None = None
    """Epoch seconds when it counts although nobody judged it; None where it does not by time."""
    expires_at: float | None = None
    """Epoch seconds when it expires unless somebody judged it; None where it does not."""

    @property
    def verdict_due_at(self) -> float | None:
        """Epoch seconds until which a verdict is awaited; None where none is."""
        return self.expires_at if self.counts_at is None else self.counts_at


class JudgedBody(DeliberationHead):
    """A person judged a decision, or the time to do so ran out."""

    event_type: Literal["orchestration.decision.judged"]
    verdict_id: str
    verdict: Opinion
    proposal: Winner | None
    """What `by` holds for the best: the winner, or the preferred proposal; None for a rejection."""
    by: str
    """A person, or `timeout`."""
    reason: str
    judged_at: str
    """ISO 8601, as the publisher wrote it."""
    said_at: float
    """Epoch seconds: `judged_at`, or when the message was stored if that was earlier."""
    stands: bool
    """False where the same person had said another one later."""
    replaces: str | None
    """The id of the same person's verdict that stood before."""
    counts: bool | None
    """For the one verdict that settles an awaited decision: whether that counts. None for every other."""


class DispatchedBody(OpenValue):
    """The roles of a plan were asked, or could not be."""

    event_type: Literal["orchestration.plan.dispatched"]
    story_id: str
    task_id: str
    timestamp: float
    plan_id: str
    revision: str
    roles: tuple[str, ...]
    started: tuple[RoleStarted, ...]
    failed: tuple[RoleFailed, ...]
    message: str
    approved_by: str = ""
    """Who approved the plan, or asked the question. Empty in events of version 0.1."""
    content: str = ""
    """Digest of what was asked (`domain.plan.content_of`): an approval of other content under the same plan id and
    revision is not the one that is answered here. Empty in events of version 0.1."""


class PhaseChangedBody(OpenValue):
    """A story entered a phase."""

    event_type: Literal["orchestration.phase.changed"]
    story_id: str
    timestamp: float
    from_phase: str
    to_phase: str
    transitioned_at: str
    """ISO 8601, as the publisher wrote it."""
    plan_id: str | None
    revision: str
    roles: tuple[str, ...]


class MessageRejectedBody(OpenValue):
    """A message that was to be read became a dead letter; its publisher knows it by where it was stored."""

    event_type: Literal["orchestration.message.rejected"]
    timestamp: float
    """Epoch seconds when the message was stored."""
    subject: str
    """That the message was published on."""
    stream: str
    sequence: int
    """In its stream: both are in JetStream's confirmation of the message."""
    reason: str
    """One sentence, as in the dead letter."""


DeliberationBody = StartedBody | ProgressBody | CompletedBody | FailedBody | CancelledBody | JudgedBody
"""Every body about one deliberation."""
ClosingBody = Annotated[CompletedBody | FailedBody | CancelledBody, Field(discriminator="event_type")]
"""Every body that tells of a deliberation's end."""
EventBody = Annotated[
    DeliberationBody | DispatchedBody | PhaseChangedBody | MessageRejectedBody, Field(discriminator="event_type")
]
"""Every body; its `event_type` says which model it is."""

OUTGOING: dict[str, type[OpenValue]] = {
    event_types.STARTED: StartedBody,
    event_types.PROGRESS: ProgressBody,
    event_types.COMPLETED: CompletedBody,
    event_types.FAILED: FailedBody,
    event_types.CANCELLED: CancelledBody,
    event_types.JUDGED: JudgedBody,
    event_types.DISPATCHED: DispatchedBody,
    event_types.PHASE_CHANGED: PhaseChangedBody,
    event_types.MESSAGE_REJECTED: MessageRejectedBody,
}
"""Event type → model of its body."""
