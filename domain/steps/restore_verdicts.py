"""Give a store back the verdicts that the streams hold and it does not."""

from __future__ import annotations

from domain.contract import JudgedBody
from domain.errors import CannotJudge
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.event_history import EventHistory
from domain.ports.verdict_store import VerdictStore
from domain.steps.judge import record_verdict, resolved
from domain.verdict import Verdict


def restore_verdicts(
    since: float, *, history: EventHistory, deliberations: DeliberationStore, verdicts: VerdictStore
) -> tuple[str, ...]:
    """Record what the store lacks of what was told, then of what was said; return the ids of these verdicts.

    What was told is not told again; what was only said is told by the outbox. A verdict that can't be taken is
    passed over: it has its dead letter, or its deliberation is past retention. Raises HistoryUnreadable.
    """
    restored = []
    for body in history.judged(since):
        try:
            record = deliberations.load(body.deliberation_id)
            new = record_verdict(_as_told(body), record, verdicts, told=True, compared=True).new
        except (LookupError, CannotJudge):
            continue
        restored += [body.verdict_id] if new else []
    for said in history.verdicts(since):
        try:
            record = deliberations.load(said.deliberation_id)
            wanted = resolved(said, record, at=said.said_at)
            new = record_verdict(wanted, record, verdicts, causation_id=said.causation_id, compared=True).new
        except (LookupError, CannotJudge):
            continue
        restored += [said.verdict_id] if new else []
    return tuple(restored)


def _as_told(body: JudgedBody) -> Verdict:
    return Verdict(
        verdict_id=body.verdict_id,
        deliberation_id=body.deliberation_id,
        verdict=body.verdict,
        proposal_id=body.proposal.proposal_id if body.proposal else None,
        by=body.by,
        reason=body.reason,
        judged_at=body.judged_at,
        said_at=body.said_at,
        at=body.timestamp,
        counts=body.counts,
    )
