"""What people said of a decision, in lines and as rows, and whether it counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.contract import CompletedBody
from domain.validation.words import printable
from domain.value import Value
from domain.verdict import Opinion, Verdict, settling, standing
from domain.views.why import label

MAX_REASON = 500
"""Characters of a reason in a line."""


class VerdictView(Value):
    """A verdict as programs read it."""

    verdict_id: str
    verdict: Opinion
    proposal_id: str | None
    by: str
    reason: str
    judged_at: str
    stands: bool
    """False for a person's earlier verdict."""
    counts: bool | None
    """Of the verdict that settled an awaited decision: whether that counts."""


def verdict_views(verdicts: Sequence[Verdict]) -> tuple[VerdictView, ...]:
    """Return all verdicts in the order of their recording."""
    stand = {verdict.verdict_id for verdict in standing(verdicts).values()}
    return tuple(
        VerdictView(
            verdict_id=verdict.verdict_id,
            verdict=verdict.verdict,
            proposal_id=verdict.proposal_id,
            by=verdict.by,
            reason=verdict.reason,
            judged_at=verdict.judged_at,
            stands=verdict.verdict_id in stand or not verdict.by_person,
            counts=verdict.counts,
        )
        for verdict in verdicts
    )


def is_awaiting(decision: CompletedBody, verdicts: Sequence[Verdict]) -> bool:
    """Whether nothing has settled yet that the decision counts."""
    return decision.awaiting_verdict and settling(verdicts) is None


def verdict_lines(decision: CompletedBody, verdicts: Sequence[Verdict]) -> list[str]:
    """Say whether an awaited decision counts, and what of people's verdicts stands."""
    said = [_line(verdict) for verdict in standing(verdicts).values()]
    return [*_settled(decision, verdicts), *said]


def _settled(decision: CompletedBody, verdicts: Sequence[Verdict]) -> list[str]:
    if not decision.awaiting_verdict:
        return []
    settled = settling(verdicts)
    if settled is None:
        due_at = datetime.fromtimestamp(decision.verdict_due_at or decision.timestamp, UTC)
        what = "expires" if decision.counts_at is None else "counts"
        return [f"awaits a verdict, and {what} without one at {due_at:%Y-%m-%d %H:%M:%S} UTC"]
    if not settled.by_person:
        return [settled.reason]
    if not settled.counts:
        return [f"does not count, since {settled.by} rejected it"]
    if settled.verdict == "prefer" and settled.proposal_id:
        return [f"{label(settled.proposal_id)} counts in the winner's place, since {settled.by} prefers it"]
    return [f"counts, since {settled.by} accepted it"]


def _line(verdict: Verdict) -> str:
    said = {"accept": "accepts it", "reject": "rejects it"}.get(verdict.verdict)
    said = said or f"prefers {label(verdict.proposal_id) if verdict.proposal_id else 'another'}"
    reason = f": {printable(verdict.reason, MAX_REASON)}" if verdict.reason else ""
    return f"{verdict.by} {said}{reason}"
