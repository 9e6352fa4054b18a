"""A verdict on a decision: compared with it, recorded, counted and told; by a person, or by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from domain import events
from domain.contract import CompletedBody
from domain.errors import CannotJudge, StoreUnreconciled, VerdictsChanged
from domain.event import Event
from domain.people import counts_of
from domain.ports.clock import Clock
from domain.ports.continuity import Continuity
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.event_publisher import EventPublisher
from domain.ports.outbox import Outbox
from domain.ports.verdict_store import VerdictStore
from domain.record import Record
from domain.steps.announce import announce
from domain.validation.words import printable
from domain.verdict import (
    MOST_VERDICTS,
    TIMEOUT,
    SaidVerdict,
    Verdict,
    overdue_id,
    settling,
)

AT_ONCE = 200
"""Overdue decisions that one look settles; the rest come first at the next one."""
MAX_ID = 40
"""Characters of a foreign id in a sentence."""


def judge_decision(
    said: SaidVerdict,
    *,
    deliberations: DeliberationStore,
    verdicts: VerdictStore,
    continuity: Continuity,
    outbox: Outbox,
    publisher: EventPublisher,
    clock: Clock,
) -> Verdict:
    """Record what a person says and publish it; return the verdict as it stands, at a repetition the first one.

    Raises CannotJudge for what is no decision, for a proposal that is none of its own, and for other content
    under a key that is taken; StoreUnreconciled where the store may only have lost the decision.
    """
    try:
        record = deliberations.load(said.deliberation_id)
    except LookupError as error:
        if not continuity.is_whole():
            raise StoreUnreconciled(
                f"{said.deliberation_id} is unknown to a store that may have lost it"
            ) from error
        name = printable(said.deliberation_id, MAX_ID)
        raise CannotJudge(
            f"no deliberation {name}: never opened, or past retention; see `conclave deliberation list`"
        ) from error
    wanted = resolved(said, record, at=clock.now())
    standing, event, _ = record_verdict(wanted, record, verdicts, causation_id=said.causation_id)
    if not standing.says_as(wanted):
        raise CannotJudge(_other_content(wanted, standing))
    if event is not None:
        announce([event], outbox=outbox, publisher=publisher)
    return standing


def resolved(said: SaidVerdict, record: Record, *, at: float) -> Verdict:
    """Compare what a person says with the decision; `at`, epoch seconds, is now. Raises CannotJudge."""
    decision = decision_to_judge(record)
    return Verdict(
        verdict_id=said.verdict_id,
        deliberation_id=record.deliberation.deliberation_id,
        verdict=said.verdict,
        proposal_id=_best(said, decision),
        by=said.by,
        reason=said.reason,
        judged_at=said.judged_at,
        said_at=said.said_at,
        at=max(at, decision.timestamp),
        place=said.place,
    )


def decision_to_judge(record: Record) -> CompletedBody:
    """Return the decision. Raises CannotJudge where there is none."""
    identity, closed = record.deliberation.deliberation_id, record.closed
    if closed is None:
        raise CannotJudge(f"{identity} is still {record.state}; judge it when it is decided")
    if closed.decision is None:
        raise CannotJudge(f"{identity} {closed.status} without a decision, so there is nothing to judge")
    return closed.decision


def settle_overdue(
    *,
    deliberations: DeliberationStore,
    verdicts: VerdictStore,
    outbox: Outbox,
    publisher: EventPublisher,
    clock: Clock,
) -> int:
    """Let every decision count or expire whose verdict is overdue, as its rules say; return how many.

    Its verdict has one id, and is recorded only where no verdict has settled the decision: however often and
    wherever this runs, and whoever judges at the same moment, one of them settles. Raises what the first of them
    raised, after all others were settled.
    """
    errors: list[Exception] = []
    overdue = verdicts.overdue(clock.now(), AT_ONCE)
    for deliberation_id in overdue:
        try:
            event = _settle(deliberation_id, deliberations, verdicts, now=clock.now())
        except Exception as error:
            errors.append(error)
            continue
        if event is not None:
            announce([event], outbox=outbox, publisher=publisher)
    if errors:
        raise errors[0]
    return len(overdue)


def _settle(
    deliberation_id: str, deliberations: DeliberationStore, verdicts: VerdictStore, *, now: float
) -> Event | None:
    try:
        record = deliberations.load(deliberation_id)
        decision = decision_to_judge(record)
    except (LookupError, CannotJudge):  # past retention, or no decision: nothing is left to await
        verdicts.forget(deliberation_id)
        return None
    counts = decision.counts_at is not None
    winner = decision.winner.proposal_id if decision.winner else None
    verdict = Verdict(
        verdict_id=overdue_id(deliberation_id),
        deliberation_id=deliberation_id,
        verdict="accept" if counts else "reject",
        proposal_id=winner if counts else None,
        by=TIMEOUT,
        reason=f"nobody judged it in time, so it {'counts' if counts else 'expires'}",
        judged_at=datetime.fromtimestamp(now, UTC).isoformat(),
        said_at=now,
        at=max(now, decision.timestamp),
    )
    return record_verdict(verdict, record, verdicts).event


class RecordedVerdict(NamedTuple):
    """What stands under a verdict's id."""

    verdict: Verdict
    event: Event | None
    """What tells of it, for the caller to announce; None where it was there, or had been told."""
    new: bool


def record_verdict(
    wanted: Verdict,
    record: Record,
    verdicts: VerdictStore,
    *,
    causation_id: str = "",
    told: bool = False,
    compared: bool = False,
) -> RecordedVerdict:
    """Record a verdict with what it means beside the others, unless its id is known.

    The clock's verdict is recorded only where it settles. `told`: the world knows it as it is, and only the store
    had lost it. `compared`: the caller knows what the streams tell, so that a gap is no reason to wait. Raises
    CannotJudge and StoreUnreconciled.
    """
    deliberation, decision = record.deliberation, decision_to_judge(record)
    while True:  # again only where another verdict was recorded meanwhile, and they are bounded
        before = verdicts.of(deliberation.deliberation_id)
        known = next((verdict for verdict in before if verdict.verdict_id == wanted.verdict_id), None)
        if known is not None:
            return RecordedVerdict(known, None, new=False)
        verdict = wanted if told else _with_effect(wanted, decision, before)
        if not verdict.by_person and verdict.counts is None:
            verdicts.forget(deliberation.deliberation_id)
            return RecordedVerdict(verdict, None, new=False)
        if verdict.by_person and len(before) >= MOST_VERDICTS:
            raise CannotJudge(
                f"{deliberation.deliberation_id} has {len(before)} verdicts, which is the most; say no more"
            )
        event = None if told else events.judged(deliberation, decision, before, verdict, causation_id=causation_id)
        counters = counts_of(deliberation, decision, before, verdict)
        try:
            standing = verdicts.record(
                verdict,
                after=len(before),
                events=[event] if event else [],
                counters=counters,
                compared=compared,
            )
        except VerdictsChanged:
            continue
        new = standing == verdict
        return RecordedVerdict(standing, event if new else None, new=new)


def _with_effect(wanted: Verdict, decision: CompletedBody, before: Sequence[Verdict]) -> Verdict:
    """Let the verdict settle whether the decision counts, where none before it has."""
    settles = decision.awaiting_verdict and settling(before) is None
    return wanted.model_copy(update={"counts": wanted.verdict != "reject" if settles else None})


def _best(said: SaidVerdict, decision: CompletedBody) -> str | None:
    """Return the proposal that a person holds for the best: a proposal's id comes before an author's."""
    if said.verdict == "reject":
        return None
    if said.verdict == "accept":
        return decision.winner.proposal_id if decision.winner else None
    proposals = [row.proposal for row in decision.decisions]
    by_id = [proposal.proposal_id for proposal in proposals if proposal.proposal_id == said.proposal]
    by_author = [proposal.proposal_id for proposal in proposals if proposal.author.agent_id == said.proposal]
    if not by_id and not by_author:
        there_are = ", ".join(printable(proposal.proposal_id, MAX_ID) for proposal in proposals)
        raise CannotJudge(
            f"{decision.deliberation_id} has no proposal {printable(said.proposal, MAX_ID)};"
            f" prefer one of {there_are}"
        )
    return (by_id or by_author)[0]


def _other_content(verdict: Verdict, kept: Verdict) -> str:
    this, earlier = verdict.place or "this verdict", kept.place or "an earlier one"
    return (
        f"{this} has other content than {earlier} under the same key (deliberation {verdict.deliberation_id}), so"
        " that one stands; send it under another idempotency_key, CloudEvents id or timestamp"
    )
