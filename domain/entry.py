"""What happened in a deliberation: entries, each written once under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from domain import keys
from domain.chat import ChatAnswer, ChatOutcome, FailureReason, Usage, usage_of
from domain.contract import ClosingBody, CompletedBody
from domain.council import Agent
from domain.deliberation import Deliberation
from domain.value import Name, OpenValue, Value


class Opened(Value):
    """The deliberation exists and its work may be spread."""

    kind: Literal["opened"] = "opened"
    deliberation: Deliberation

    @property
    def key(self) -> str:
        return keys.OPENED


class ModelCall(Value):
    """The outcome of one model call on behalf of one agent."""

    agent_id: Name
    round: int = 0
    model: str = ""
    engine: str = ""
    usage: Usage = Usage()
    duration_ms: float = 0.0
    at: float
    """Epoch seconds of the outcome."""


class CallFacts(TypedDict):
    """The fields of `ModelCall`, as keyword arguments of an entry."""

    agent_id: str
    round: int
    model: str
    engine: str
    usage: Usage
    duration_ms: float
    at: float


def call_facts(agent: Agent, outcome: ChatOutcome, *, at: float, round_: int = 0) -> CallFacts:
    """Return the fields of `ModelCall` as an outcome has them; a failure names the model that was called."""
    answer = outcome if isinstance(outcome, ChatAnswer) else None
    return CallFacts(
        agent_id=agent.agent_id,
        round=round_,
        model=answer.model if answer else agent.model or "",
        engine=outcome.engine,
        usage=usage_of(answer) if answer else Usage(),
        duration_ms=answer.duration_ms if answer else 0.0,
        at=at,
    )


class Proposed(ModelCall):
    """An agent's proposal in a round; round 0 is the first version."""

    kind: Literal["proposal"] = "proposal"
    text: str = Field(min_length=1)
    cut_off: bool = False

    @property
    def key(self) -> str:
        return keys.proposal_key(self.round, self.agent_id)

    @property
    def proposal_id(self) -> str:
        """Identifies this version of this agent's proposal."""
        return keys.proposal_id(self.agent_id, self.round)


class AgentFailed(ModelCall):
    """An agent without a proposal in a round, and why. The entry takes the proposal's place for good."""

    kind: Literal["failure"] = "failure"
    reason: FailureReason
    detail: str = ""

    @property
    def key(self) -> str:
        return keys.proposal_key(self.round, self.agent_id)


class BallotCast(ModelCall):
    """One reviewer's scores of the others' proposals in one pass, or why they are missing."""

    kind: Literal["ballot"] = "ballot"
    pass_: int = 0
    """0 sees an order, 1 its reverse."""
    order: tuple[str, ...] = ()
    """Proposal ids as shown side by side; empty where each was shown alone."""
    form: Literal["digits", "lines", "pointwise"] = "digits"
    """How scores were asked for: digits side by side, as version 0.1 did, a line for each, or pointwise: a line
    for each and a call for each proposal."""
    scores: dict[str, dict[str, int]] = {}
    """proposal id → criterion → 1..9 as written; empty if the ballot is missing."""
    expected: dict[str, dict[str, float]] = {}
    """The means under the model's probabilities of the digits; empty where its engine doesn't tell them."""
    met: dict[str, tuple[bool, ...]] = {}
    """proposal id → whether it meets each acceptance criterion that was asked about, in the plan's order, as
    written; empty where no checklist was asked."""
    p_met: dict[str, tuple[float, ...]] = {}
    """The model's probabilities of yes in their place; empty where its engine doesn't tell them."""
    missing: FailureReason | None = None
    gaps: dict[str, FailureReason] = {}
    """proposal id → why the call about it gave no score; such proposals are in neither mapping of scores."""
    detail: str = ""

    @property
    def owed(self) -> tuple[FailureReason, ...]:
        """Why the ballot or some of its scores are missing, each reason once; none for a whole ballot."""
        return (self.missing,) if self.missing else tuple(sorted(set(self.gaps.values())))

    @property
    def alone(self) -> bool:
        """Whether each proposal was shown by itself, so that no place can have counted."""
        return self.form == "pointwise" and not self.order

    @property
    def asked(self) -> tuple[str, ...]:
        """Proposal ids that it was to score, by name; as far as they are known of a missing ballot."""
        return tuple(sorted({**self.scores, **self.gaps}))

    @property
    def calls(self) -> int:
        """How many model calls it took; a reminder of the form is part of its call."""
        return len(self.scores) + len(self.gaps) if self.form == "pointwise" else 1

    @property
    def reading(self) -> Mapping[str, Mapping[str, float]]:
        """The scores that count: expected ones where they are known."""
        return self.expected or self.scores

    @property
    def checklist(self) -> Mapping[str, Sequence[float]]:
        """proposal id → how far it meets each criterion, 0 to 1: probabilities where they are known."""
        return self.p_met or self.met

    @property
    def key(self) -> str:
        return keys.ballot_key(self.round, self.pass_, self.agent_id)

    @classmethod
    def of_parts(cls, parts: Sequence[BallotCast]) -> BallotCast:
        """Join what the calls of one ballot gave, which ran at the same time; the parts' order does not matter.

        A proposal without a score is a gap, which the ranking's model allows for, and the ballot is missing only
        where nothing came. Expected scores lie nearer to the middle than written ones: they count for all or none.
        """
        if len(parts) == 1:
            return parts[0]
        ordered = sorted(parts, key=_place)
        cast = [part for part in ordered if part.missing is None]
        told = cast if all(part.expected for part in cast) else []
        return ordered[0].model_copy(
            update={
                "engine": ", ".join(sorted({part.engine for part in ordered if part.engine})),
                "usage": sum((part.usage for part in ordered), Usage()),
                "duration_ms": max(part.duration_ms for part in ordered),
                "at": max(part.at for part in ordered),
                "scores": {proposal: row for part in cast for proposal, row in part.scores.items()},
                "expected": {proposal: row for part in told for proposal, row in part.expected.items()},
                "met": {proposal: row for part in cast for proposal, row in part.met.items()},
                "p_met": {proposal: row for part in told for proposal, row in part.p_met.items()},
                "missing": None if cast else ordered[0].missing,
                "gaps": {proposal: reason for part in ordered for proposal, reason in part.gaps.items()},
                "detail": "; ".join(dict.fromkeys(part.detail for part in ordered if part.detail)),
            }
        )


def _place(part: BallotCast) -> tuple[int, str]:
    """Where a part about one proposal stands in its ballot: as shown, or by name where each was shown alone."""
    (proposal,) = {**part.scores, **part.gaps}
    return (part.order.index(proposal) if part.order else 0, proposal)


class Compared(ModelCall):
    """One reviewer's answer which of two tied proposals is better, or why it is missing."""

    kind: Literal["comparison"] = "comparison"
    first: str
    """The proposal id that the question names first."""
    second: str
    choice: str | None = None
    """The proposal id of the better one, as written."""
    p_first: float | None = Field(default=None, ge=0, le=1)
    """Probability that the model gives the first; None where its engine doesn't tell it."""
    missing: FailureReason | None = None
    detail: str = ""

    @property
    def reading(self) -> float | None:
        """How far the first is better, 0 to 1: its probability where that is known; None for a missing answer."""
        if self.missing is not None:
            return None
        return self.p_first if self.p_first is not None else float(self.choice == self.first)

    @property
    def key(self) -> str:
        return keys.comparison_key(self.round, self.agent_id, self.first, self.second)


class Critiqued(ModelCall):
    """One reviewer's critique of one proposal; empty text if the call failed."""

    kind: Literal["critique"] = "critique"
    proposal_id: str
    text: str = ""
    missing: FailureReason | None = None

    @property
    def key(self) -> str:
        return keys.critique_key(self.round, self.agent_id, self.proposal_id)


class ArchitectAnswered(ModelCall):
    """The architect's choice where the council's vote was tied or contested, or its synthesis of the best."""

    kind: Literal["architect"] = "architect"
    task: Literal["choice", "synthesis"] = "choice"
    choice: str | None = None
    """The proposal id that it chose."""
    synthesis: str = ""
    missing: FailureReason | None = None

    @property
    def key(self) -> str:
        return keys.CHOICE if self.task == "choice" else keys.SYNTHESIS


class Closed(OpenValue):
    """How the deliberation ended; nothing is written after it.

    Nothing is decided from it any more, so a reader keeps fields that it does not know. All other entries are what
    a decision is made from: a field that a process does not know makes them unreadable to it.
    """

    kind: Literal["closed"] = "closed"
    status: Literal["decided", "failed", "cancelled"]
    at: float
    event_id: str
    """The event that told the world."""
    reason: str = ""
    result: ClosingBody
    """The event's body; for a decision, the ranking with everything it was made from."""

    @property
    def key(self) -> str:
        return keys.CLOSED

    @property
    def decision(self) -> CompletedBody | None:
        """What was decided; None where the deliberation failed or was cancelled."""
        return self.result if isinstance(self.result, CompletedBody) else None


Entry = Annotated[
    Opened | Proposed | AgentFailed | BallotCast | Compared | Critiqued | ArchitectAnswered | Closed,
    Field(discriminator="kind"),
]
