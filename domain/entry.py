"""What happened in a deliberation: entries, each written once under a key of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from domain.chat import ChatAnswer, ChatOutcome, FailureReason
from domain.deliberation import Deliberation
from domain.usage import Usage, usage_of
from domain.value import Name, Value


class Opened(Value):
    """The deliberation exists and its work may be spread."""

    kind: Literal["opened"] = "opened"
    deliberation: Deliberation

    @property
    def key(self) -> str:
        return "opened"


class ModelCall(Value):
    """An outcome of one model call on behalf of one agent."""

    agent_id: Name
    round: int = 0
    model: str = ""
    engine: str = ""
    usage: Usage = Usage()
    duration_ms: float = 0.0
    at: float
    """Epoch seconds when it was done."""


def call_facts(agent_id: str, model: str, outcome: ChatOutcome, *, at: float, round_: int = 0) -> dict[str, Any]:
    """Return the fields of `ModelCall` as a model call's outcome tells them; `model` is the one that was asked."""
    call = ModelCall(agent_id=agent_id, round=round_, model=model, engine=outcome.engine, at=at)
    if isinstance(outcome, ChatAnswer):
        answered = {"model": outcome.model, "usage": usage_of(outcome), "duration_ms": outcome.duration_ms}
        call = call.model_copy(update=answered)
    return dict(call)


class Proposed(ModelCall):
    """An agent's proposal in a round; round 0 is the first version."""

    kind: Literal["proposal"] = "proposal"
    text: str = Field(min_length=1)
    cut_off: bool = False

    @property
    def key(self) -> str:
        return proposal_key(self.round, self.agent_id)


class AgentFailed(ModelCall):
    """An agent that has no proposal in a round, and why. It takes the proposal's place for good."""

    kind: Literal["failure"] = "failure"
    reason: FailureReason
    detail: str = ""

    @property
    def key(self) -> str:
        return proposal_key(self.round, self.agent_id)


class BallotCast(ModelCall):
    """One reviewer's scores of the others' proposals in one pass, or why they are missing."""

    kind: Literal["ballot"] = "ballot"
    pass_: int = 0
    """0 sees an order, 1 its reverse."""
    order: tuple[str, ...] = ()
    """Proposal ids as shown."""
    scores: dict[str, dict[str, int]] = {}
    """proposal id → criterion → 1..9; empty if the ballot is missing."""
    missing: FailureReason | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        return ballot_key(self.round, self.pass_, self.agent_id)


class Critiqued(ModelCall):
    """What one reviewer wrote about one proposal; empty text if the call failed."""

    kind: Literal["critique"] = "critique"
    proposal_id: str
    text: str = ""
    missing: FailureReason | None = None

    @property
    def key(self) -> str:
        return critique_key(self.round, self.agent_id, self.proposal_id)


class ArchitectSpoke(ModelCall):
    """What the architect chose or wrote where the council's vote was tied or contested."""

    kind: Literal["architect"] = "architect"
    task: Literal["choice", "synthesis"] = "choice"
    choice: str | None = None
    """The proposal id it chose among the tied ones."""
    synthesis: str = ""
    missing: FailureReason | None = None

    @property
    def key(self) -> str:
        return "architect" if self.task == "choice" else SYNTHESIS_KEY


class Closed(Value):
    """How the deliberation ended; nothing is written after it."""

    kind: Literal["closed"] = "closed"
    status: Literal["decided", "failed", "cancelled"]
    at: float
    event_id: str
    """The event that told the world."""
    reason: str = ""
    result: dict[str, Any] = {}
    """The event's body; for a decision, the ranking with everything it was made from."""

    @property
    def key(self) -> str:
        return "closed"


SYNTHESIS_KEY = "architect/synthesis"


def proposal_key(round_: int, agent_id: str) -> str:
    return f"proposal/{round_}/{agent_id}"


def ballot_key(round_: int, pass_: int, agent_id: str) -> str:
    return f"ballot/{round_}/{pass_}/{agent_id}"


def critique_key(round_: int, agent_id: str, proposal_id: str) -> str:
    return f"critique/{round_}/{agent_id}/{proposal_id}"


Entry = Annotated[
    Opened | Proposed | AgentFailed | BallotCast | Critiqued | ArchitectSpoke | Closed,
    Field(discriminator="kind"),
]
