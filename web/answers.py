"""A decision in short, as other programs and agents read it; hidden characters in its texts are escaped."""

from __future__ import annotations

from domain.chat import Usage
from domain.contract import CompletedBody
from domain.contract_rows import DecisionBody
from domain.record import DeliberationState
from domain.text.visible import escaped
from domain.value import Value
from domain.views.summary import DeliberationDetails
from domain.views.verdicts import VerdictView
from domain.views.why import why


class RankedAnswer(Value):
    """A proposal by its place."""

    proposal_id: str
    agent_id: str
    model: str
    rank: int
    """1 is best; equal ranks are shared."""
    score: float
    """What an average reviewer would give it, from 1 to 9."""


class DecisionAnswer(Value):
    """How a deliberation ended, or stands."""

    deliberation_id: str
    state: DeliberationState
    role: str
    title: str
    reason: str
    """Why there is no decision; empty else."""
    answer: str
    """The winning proposal, word for word; empty without a decision."""
    synthesis: str
    """What the architect made of the best proposals; mostly empty."""
    proposals: tuple[RankedAnswer, ...]
    """Best first."""
    why: tuple[str, ...]
    """Why the winner won, and what is doubtful, in sentences."""
    confidence: float | None
    """Calibrated probability that people would call the winner best; null where none is claimed."""
    stability: float | None
    """Share of resampled panels in which the winner stays first."""
    agreement: float | None
    """How far the reviewers agree, 0 to 1 (Kendall's W)."""
    tied: bool
    contested: bool
    degraded: bool
    """Whether agents failed on the way."""
    awaiting_verdict: bool
    """Whether it counts only when a person judges it, or time runs out."""
    verdicts: tuple[VerdictView, ...]
    usage: Usage


def decision_answer(found: DeliberationDetails) -> DecisionAnswer:
    """Shorten a deliberation to what somebody who asked wants to know."""
    decision = found.result if isinstance(found.result, CompletedBody) else None
    return DecisionAnswer(
        deliberation_id=found.deliberation_id,
        state=found.state,
        role=found.role,
        title=escaped(found.progress.title),
        reason=escaped(found.reason),
        answer=escaped(decision.decisions[0].proposal.content) if decision and decision.winner else "",
        synthesis=escaped(decision.synthesis or "") if decision else "",
        proposals=tuple(_ranked(row) for row in decision.decisions) if decision else (),
        why=tuple(escaped(sentence) for sentence in why(decision)) if decision else (),
        confidence=_confidence(decision),
        stability=decision.stability if decision else None,
        agreement=decision.agreement.kendall_w if decision else None,
        tied=decision is not None and decision.tied,
        contested=decision is not None and decision.contested,
        degraded=decision is not None and decision.degraded,
        awaiting_verdict=found.awaiting_verdict,
        verdicts=found.verdicts,
        usage=found.progress.usage,
    )


def _confidence(decision: CompletedBody | None) -> float | None:
    # Version 1 of the ranking knew no voices: what it called the winner's probability was stability.
    return decision.p_winner if decision and decision.independent_voices is not None else None


def _ranked(row: DecisionBody) -> RankedAnswer:
    proposal = row.proposal
    return RankedAnswer(
        proposal_id=proposal.proposal_id,
        agent_id=proposal.author.agent_id,
        model=proposal.model,
        rank=row.rank,
        score=row.score,
    )
