"""What came of one checked task: a line of the results file, and all that the rules read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, Self

from pydantic import Field

from domain.entry import Proposed
from domain.proving.alone import AnswerAlone
from domain.proving.tokens import total
from domain.record import Record
from domain.value import OpenValue


class CheckedProposal(OpenValue):
    """A council member's proposal, checked."""

    proposal_id: str
    author: str
    right: bool
    characters: int = Field(ge=0)
    tokens: int = Field(ge=0)
    """Prompt and answer, as all tokens here."""
    seconds: float = Field(ge=0)


class SingleAgent(OpenValue):
    """The council's first agent alone, with the council's tokens: several samples, the best by its own ballot."""

    right: float = Field(ge=0, le=1)
    """Share of the samples that its ballot puts first which are right; of all, where it cast none."""
    samples: int = Field(ge=1)
    tokens: int = Field(ge=0)
    seconds: float = Field(ge=0)

    @classmethod
    def of(cls, answer: AnswerAlone, right: Collection[str]) -> Self:
        """Judge an answer; `right` holds the texts that are right."""
        return cls(
            right=sum(text in right for text in answer.best) / len(answer.best),
            samples=answer.samples,
            tokens=answer.tokens,
            seconds=answer.seconds,
        )


class TaskOutcome(OpenValue):
    """One task: the council's first proposals, its ballots on them, its decision, and the single agent."""

    task_id: str
    deliberation_id: str
    proposals: tuple[CheckedProposal, ...]
    """First versions, in the council's order. Agents that failed have none."""
    scores: Mapping[str, Mapping[str, float]]
    """Reviewer → proposal → its mean score, criteria weighted and passes averaged."""
    review_tokens: Mapping[str, int]
    """Reviewer → tokens of its ballots."""
    models: Mapping[str, str]
    """Reviewer → its model."""
    winner: str | None
    """The winner's proposal id; None without a decision."""
    winner_right: bool
    """Whether the winning text, which may be a revision, is right."""
    p_winner: float | None
    """What the decision said of its winner; None where it claimed nothing, or an architect chose another one."""
    tokens: int = Field(ge=0)
    """All of the deliberation's."""
    seconds: float = Field(ge=0)
    """From its opening to its end."""
    reason: str = ""
    """Why there is no decision."""
    single: SingleAgent | None = None
    """None where it was not asked, or failed."""

    @property
    def is_telling(self) -> bool:
        """Whether some proposals are right and others wrong, so that it matters which one is taken."""
        return len({proposal.right for proposal in self.proposals}) == 2

    @property
    def verdict(self) -> Literal["accept", "reject"] | None:
        """What the check says of the decision; None where that claimed nothing, or any winner would be as good."""
        if self.p_winner is None or not self.is_telling:
            return None
        return "accept" if self.winner_right else "reject"

    @classmethod
    def of(cls, task_id: str, record: Record, *, right: Collection[str]) -> Self:
        """Gather what a closed record says; `right` holds the texts that are right.

        Raises LookupError for a record that is open.
        """
        closed = record.closed
        if closed is None:
            raise LookupError(f"{record.deliberation.deliberation_id} has not ended")
        decision = closed.decision
        winner = decision.winner.proposal_id if decision and decision.winner else None
        matrix = decision.ranking.matrix if decision else {}
        ballots = record.ballots()
        reviewers = {ballot.agent_id for ballot in ballots}
        return cls(
            task_id=task_id,
            deliberation_id=record.deliberation.deliberation_id,
            proposals=tuple(_checked(proposal, right) for proposal in record.proposals(0)),
            scores={reviewer: dict(scores) for reviewer, scores in matrix.items()},
            review_tokens={
                reviewer: sum(total(ballot.usage) for ballot in ballots if ballot.agent_id == reviewer)
                for reviewer in sorted(reviewers)
            },
            models={ballot.agent_id: ballot.model for ballot in ballots},
            winner=winner,
            winner_right=bool(decision) and winning_text(record) in right,
            p_winner=decision.p_winner if decision and winner == decision.ranking.winner else None,
            tokens=total(record.usage),
            seconds=closed.at - record.deliberation.opened_at,
            reason=closed.reason,
        )


def texts_of(record: Record) -> tuple[str, ...]:
    """Return every text that has to be checked: first proposals, then the winner where it is another one."""
    texts = [proposal.text for proposal in record.proposals(0)]
    winning = winning_text(record)
    return tuple(dict.fromkeys([*texts, *([winning] if winning else [])]))


def winning_text(record: Record) -> str:
    """Return the decision's best text; empty without a decision."""
    decision = record.closed.decision if record.closed else None
    return decision.decisions[0].proposal.content if decision and decision.decisions else ""


def _checked(proposal: Proposed, right: Collection[str]) -> CheckedProposal:
    return CheckedProposal(
        proposal_id=proposal.proposal_id,
        author=proposal.agent_id,
        right=proposal.text in right,
        characters=len(proposal.text),
        tokens=total(proposal.usage),
        seconds=proposal.duration_ms / 1000,
    )
