"""The completed event's body, made from the record and its ranking; and who failed, for every end's body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from domain.checklist import checklists_of, share_met
from domain.checks.gate import GateReport
from domain.contract import CompletedBody
from domain.contract_rows import (
    ArchitectRow,
    Author,
    BallotRow,
    CheckRow,
    ChecksBody,
    ComparisonRow,
    CritiqueRow,
    DecisionBody,
    FailureRow,
    ProposalBody,
    Winner,
)
from domain.deliberation import Deliberation
from domain.entry import ArchitectAnswered, BallotCast, Compared, Critiqued, Proposed
from domain.event_types import COMPLETED
from domain.events import head_of
from domain.keys import PRIOR
from domain.prices import PriceList
from domain.ranking import RankedProposal, Ranking, RankingInputs
from domain.record import Record
from domain.review.candidate import Candidate
from domain.text.rationale import rationale_of
from domain.total_usage import total_usage

NO_MEMBER = "earlier winner"
"""The author's id of an earlier winner that no agent of this council wrote."""


def completed_body(
    record: Record,
    candidates: Sequence[Candidate],
    gates: Mapping[str, GateReport],
    inputs: RankingInputs,
    ranking: Ranking,
    *,
    synthesis: str | None,
    prices: PriceList,
    at: float,
) -> CompletedBody:
    """Return the decision with everything it was made from; `at` in epoch seconds."""
    deliberation, architect = record.deliberation, record.architect
    choice = architect.choice if architect else None
    winner = choice or ranking.winner
    by_id = {candidate.proposal_id: candidate for candidate in candidates}
    ranked = sorted(ranking.entries, key=lambda entry: entry.proposal != winner)
    failures = failure_rows(record, gates)
    checklists = checklists_of(record.ballots(inputs.round), inputs.voices)
    return CompletedBody(
        event_type=COMPLETED,
        **head_of(deliberation, at),
        decisions=tuple(
            _decision_body(
                record,
                by_id[entry.proposal],
                gates[entry.proposal],
                entry,
                checklist=checklists.get(entry.proposal, ()),
            )
            for entry in ranked
        ),
        winner=None if winner is None else _winner_row(by_id[winner]),
        winner_changed=_winner_changed(deliberation, by_id, winner),
        decided_by="architect" if choice else ranking.decided_by,
        p_winner=ranking.p_winner,
        stability=ranking.stability,
        independent_voices=ranking.independent_voices,
        tied=ranking.tied,
        contested=ranking.contested,
        agreement=ranking.agreement,
        ranking=ranking,
        ranking_inputs=inputs,
        ballots=tuple(map(_ballot_row, record.ballots())),
        second_look=tuple(map(_comparison_row, record.comparisons())),
        critiques=tuple(map(_critique_row, record.critiques())),
        architect=_architect_row(architect) if architect else None,
        synthesis=synthesis,
        degraded=bool(failures),
        failures=failures,
        rounds=deliberation.rounds,
        models=tuple(sorted({call.model for call in record.calls() if call.model})),
        usage=total_usage(record, prices),
        duration_ms=_ms(deliberation.opened_at, at),
        timings=_timings(record, at),
        quorum=deliberation.quorum,
        **_awaiting(deliberation, at),
    )


class AwaitingFields(TypedDict, total=False):
    """Fields of a decision that awaits a verdict, as keyword arguments."""

    awaiting_verdict: bool
    counts_at: float
    expires_at: float


def _awaiting(deliberation: Deliberation, at: float) -> AwaitingFields:
    rules = deliberation.verdict
    if rules.within_s is None:
        return {}
    due_at = at + rules.within_s
    if rules.overdue == "counts":
        return {"awaiting_verdict": True, "counts_at": due_at}
    return {"awaiting_verdict": True, "expires_at": due_at}


def _decision_body(
    record: Record,
    candidate: Candidate,
    gate: GateReport,
    entry: RankedProposal,
    *,
    checklist: tuple[float, ...],
) -> DecisionBody:
    versions = [] if candidate.proposal_id == PRIOR else _versions(record, candidate.author)
    chosen = next((version for version in versions if version.proposal_id == candidate.proposal_id), None)
    return DecisionBody(
        proposal=ProposalBody(
            author=Author(agent_id=candidate.author or NO_MEMBER, role=record.deliberation.role),
            content=candidate.text,
            revisions=tuple(version.text for version in versions if version is not chosen),
            proposal_id=candidate.proposal_id,
            model=candidate.model,
            cut_off=chosen.cut_off if chosen else False,
        ),
        checks=checks_body(gate),
        score=entry.score if entry.score is not None else 0.0,
        rank=entry.rank,
        id=f"{record.deliberation.deliberation_id}:{candidate.proposal_id}",
        checklist=checklist,
        criteria_met=share_met(checklist),
        rationale=rationale_of(candidate.text),
    )


def proposal_bodies(record: Record) -> tuple[ProposalBody, ...]:
    """Return what was proposed, each author's last version, in council order: for an end without a decision."""
    role = record.deliberation.role
    by_author = (_versions(record, proposal.agent_id) for proposal in record.proposals(0))
    return tuple(
        ProposalBody(
            author=Author(agent_id=last.agent_id, role=role),
            content=last.text,
            revisions=tuple(version.text for version in earlier),
            proposal_id=last.proposal_id,
            model=last.model,
            cut_off=last.cut_off,
        )
        for *earlier, last in by_author
    )


def _versions(record: Record, author: str) -> list[Proposed]:
    """Return the author's proposals, the first version first."""
    rounds = range(record.deliberation.rounds + 1)
    return [version for round_ in rounds for version in record.proposals(round_) if version.agent_id == author]


def checks_body(gate: GateReport) -> ChecksBody:
    """Return what the event says of a proposal's checks."""
    rows = {
        result.name: CheckRow(passed=result.passed, score=result.score, reason=result.reason, judged=result.judged)
        for result in gate.results
    }
    return ChecksBody.model_validate({**rows, "overall_score": gate.overall_score})


def _winner_row(candidate: Candidate) -> Winner:
    return Winner(proposal_id=candidate.proposal_id, agent_id=candidate.author or NO_MEMBER)


def _winner_changed(deliberation: Deliberation, by_id: Mapping[str, Candidate], winner: str | None) -> bool | None:
    """Return whether a re-deliberation put another agent first; None where there was no earlier winner."""
    if not deliberation.prior_author or winner is None:
        return None
    return winner != PRIOR and by_id[winner].author != deliberation.prior_author


def _ballot_row(ballot: BallotCast) -> BallotRow:
    return BallotRow(
        reviewer=ballot.agent_id,
        round=ballot.round,
        pass_=ballot.pass_,
        order=ballot.order,
        scores=ballot.scores,
        form=ballot.form,
        expected=ballot.expected,
        met=ballot.met,
        p_met=ballot.p_met,
        missing=ballot.missing,
        gaps=ballot.gaps,
        detail=ballot.detail,
        model=ballot.model,
        usage=ballot.usage,
        duration_ms=ballot.duration_ms,
    )


def _comparison_row(comparison: Compared) -> ComparisonRow:
    return ComparisonRow(
        reviewer=comparison.agent_id,
        round=comparison.round,
        first=comparison.first,
        second=comparison.second,
        choice=comparison.choice,
        p_first=comparison.p_first,
        missing=comparison.missing,
        detail=comparison.detail,
        model=comparison.model,
        usage=comparison.usage,
        duration_ms=comparison.duration_ms,
    )


def _critique_row(critique: Critiqued) -> CritiqueRow:
    return CritiqueRow(
        reviewer=critique.agent_id, proposal_id=critique.proposal_id, round=critique.round, text=critique.text
    )


def _architect_row(architect: ArchitectAnswered) -> ArchitectRow:
    return ArchitectRow(
        agent_id=architect.agent_id,
        round=architect.round,
        model=architect.model,
        engine=architect.engine,
        duration_ms=architect.duration_ms,
        task=architect.task,
        choice=architect.choice,
        synthesis=architect.synthesis,
        missing=architect.missing,
    )


def failure_rows(record: Record, gates: Mapping[str, GateReport]) -> tuple[FailureRow, ...]:
    """Name all that failed: agents without a proposal, with one that checks removed, without a ballot."""
    return (*_failures(record), *_rejected(record, gates), *_missing_ballots(record))


def _failures(record: Record) -> list[FailureRow]:
    return [
        FailureRow(agent_id=failure.agent_id, stage="proposal", reason=failure.reason, detail=failure.detail)
        for failure in record.failures()
    ]


def _rejected(record: Record, gates: Mapping[str, GateReport]) -> list[FailureRow]:
    return [
        FailureRow(
            agent_id=proposal.agent_id,
            stage="checks",
            reason="rejected",
            detail="; ".join(result.reason for result in gates[identity].failures),
        )
        for proposal in record.proposals(0)
        if (identity := proposal.proposal_id) in gates and gates[identity].excluded
    ]


def _missing_ballots(record: Record) -> list[FailureRow]:
    return [
        FailureRow(agent_id=ballot.agent_id, stage="ballot", reason=reason, detail=_lacking(ballot))
        for ballot in record.ballots()
        for reason in ballot.owed
    ]


def _lacking(ballot: BallotCast) -> str:
    whole = ballot.missing is not None
    return ballot.detail if whole else f"no score of {', '.join(ballot.gaps)}: {ballot.detail}"


def _timings(record: Record, at: float) -> dict[str, float]:
    """Wall time of each stage in milliseconds: until the last proposal, and from there to the decision."""
    opened = record.deliberation.opened_at
    attempts = [record.attempt(0, agent.agent_id) for agent in record.deliberation.agents]
    proposed = max((attempt.at for attempt in attempts if attempt is not None), default=opened)
    voted = max((ballot.at for ballot in record.ballots()), default=proposed)
    return {
        "proposing_ms": _ms(opened, proposed),
        "reviewing_ms": _ms(proposed, voted),
        "concluding_ms": _ms(max(voted, proposed), at),
    }


def _ms(since: float, until: float) -> float:
    """Return a duration between moments that two hosts may have told: never negative."""
    return round(max(0.0, until - since) * 1000, 1)
