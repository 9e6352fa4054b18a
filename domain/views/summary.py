"""What a list and `--json` say of a deliberation; field names are stable."""

from __future__ import annotations

from collections.abc import Sequence

from domain.contract import ClosingBody
from domain.record import DeliberationState, Record
from domain.value import Value
from domain.verdict import Verdict
from domain.views.progress import DeliberationView, view
from domain.views.verdicts import VerdictView, is_awaiting, verdict_views


class DeliberationSummary(Value):
    """A deliberation in a line; times in epoch seconds."""

    deliberation_id: str
    plan_id: str
    story_id: str
    role: str
    state: DeliberationState
    opened_at: float
    closed_at: float | None
    winner: str | None
    """The winner's agent id."""
    proposal_id: str | None
    """The winning proposal's."""
    reason: str
    """Why there is no decision; empty else."""
    repeat: int
    supersedes: str | None


class DeliberationDetails(DeliberationSummary):
    """Everything about a deliberation."""

    progress: DeliberationView
    result: ClosingBody | None
    """The closing event's body."""
    verdicts: tuple[VerdictView, ...]
    """In the order of their recording."""
    awaiting_verdict: bool
    """Whether the decision counts only when somebody judges it, or time runs out."""


def summary(record: Record) -> DeliberationSummary:
    """Return what a list says of a deliberation."""
    deliberation, closed = record.deliberation, record.closed
    winner = closed.decision.winner if closed and closed.decision else None
    return DeliberationSummary(
        deliberation_id=deliberation.deliberation_id,
        plan_id=deliberation.plan.plan_id,
        story_id=deliberation.plan.story_id,
        role=deliberation.role,
        state=record.state,
        opened_at=deliberation.opened_at,
        closed_at=closed.at if closed else None,
        winner=winner.agent_id if winner else None,
        proposal_id=winner.proposal_id if winner else None,
        reason=closed.reason if closed else "",
        repeat=deliberation.repeat,
        supersedes=deliberation.supersedes,
    )


def details(record: Record, verdicts: Sequence[Verdict], now: float) -> DeliberationDetails:
    """Return everything about a deliberation at a moment, in epoch seconds."""
    decision = record.closed.decision if record.closed else None
    return DeliberationDetails(
        **dict(summary(record)),
        progress=view(record, now),
        result=record.closed.result if record.closed else None,
        verdicts=verdict_views(verdicts),
        awaiting_verdict=decision is not None and is_awaiting(decision, verdicts),
    )
