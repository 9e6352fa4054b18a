"""The completed event's body: the contract's fields first, everything else beside them (docs/events.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.checks.gate import GateReport
from domain.decision import RankingInputs
from domain.deliberation import Deliberation
from domain.keys import PRIOR
from domain.ranking import RankedProposal, Ranking
from domain.record import Record
from domain.review.candidate import Candidate
from domain.usage import Usage


def completed_body(
    record: Record,
    standing: Sequence[Candidate],
    gates: Mapping[str, GateReport],
    inputs: RankingInputs,
    ranking: Ranking,
    *,
    at: float,
) -> dict[str, Any]:
    """Tell the decision with everything it was made from."""
    deliberation = record.deliberation
    by_id = {one.proposal_id: one for one in standing}
    spoke = record.architect
    winner = spoke.choice if spoke is not None and spoke.choice else ranking.winner
    entries = sorted(ranking.entries, key=lambda entry: entry.proposal != winner)
    failures = failure_rows(record, gates)
    return {
        "decisions": [
            _decision(record, by_id[one.proposal], gates[one.proposal], one, deliberation.role) for one in entries
        ],
        "winner": _winner(by_id, winner),
        "winner_changed": _changed(deliberation, by_id, winner),
        "decided_by": "architect" if spoke is not None and spoke.choice else ranking.decided_by,
        "p_winner": ranking.p_winner,
        "tied": ranking.tied,
        "contested": ranking.contested,
        "agreement": ranking.agreement.model_dump(mode="json"),
        "ranking": ranking.model_dump(mode="json"),
        "ranking_inputs": inputs.model_dump(mode="json"),
        "ballots": [_ballot(cast) for cast in record.ballots()],
        "critiques": [_critique(one) for one in record.critiques()],
        "synthesis": record.synthesis.synthesis if record.synthesis else None,
        "architect": None if spoke is None else spoke.model_dump(mode="json", exclude={"kind", "usage", "at"}),
        "degraded": bool(failures),
        "failures": failures,
        "rounds": deliberation.rounds,
        "models": sorted({call.model for call in record.calls() if call.model}),
        "usage": {**record.usage.model_dump(), "agents": _usage_by_agent(record)},
        "duration_ms": round((at - deliberation.opened_at) * 1000, 1),
        "timings": _timings(record, at),
        "quorum": deliberation.quorum,
    }


def _decision(
    record: Record, one: Candidate, gate: GateReport, entry: RankedProposal, role: str
) -> dict[str, Any]:
    versions = [
        attempt
        for round_ in range(record.deliberation.rounds + 1)
        for attempt in record.proposals(round_)
        if attempt.agent_id == one.author and one.proposal_id != PRIOR
    ]
    chosen = next((version for version in versions if version.proposal_id == one.proposal_id), None)
    return {
        "proposal": {
            "author": {"agent_id": one.author or "earlier winner", "role": role},
            "content": one.text,
            "revisions": [version.text for version in versions if version is not chosen],
            "proposal_id": one.proposal_id,
            "model": one.model,
            "cut_off": chosen.cut_off if chosen else False,
        },
        "checks": gate.as_event(),
        "score": entry.score if entry.score is not None else 0.0,
        "rank": entry.rank,
    }


def _changed(deliberation: Deliberation, by_id: Mapping[str, Candidate], winner: str | None) -> bool | None:
    """Tell whether a re-deliberation put another agent first; None where there was no earlier winner."""
    if not deliberation.prior_author or winner is None:
        return None
    return winner != PRIOR and by_id[winner].author != deliberation.prior_author


def _winner(by_id: Mapping[str, Candidate], winner: str | None) -> dict[str, Any] | None:
    if winner is None:
        return None
    return {"proposal_id": winner, "agent_id": by_id[winner].author or "earlier winner"}


def _ballot(cast: Any) -> dict[str, Any]:
    return {
        "reviewer": cast.agent_id,
        "round": cast.round,
        "pass": cast.pass_,
        "order": list(cast.order),
        "scores": cast.scores,
        "missing": cast.missing,
        "detail": cast.detail,
        "model": cast.model,
        "usage": cast.usage.model_dump(),
        "duration_ms": cast.duration_ms,
    }


def _critique(one: Any) -> dict[str, Any]:
    return {"reviewer": one.agent_id, "proposal_id": one.proposal_id, "round": one.round, "text": one.text}


def failure_rows(record: Record, gates: Mapping[str, GateReport]) -> list[dict[str, Any]]:
    """Name everybody who failed: agents without a proposal, with one that checks removed, without a ballot."""
    return [*_failures(record), *_rejected(record, gates), *_missing_ballots(record)]


def _failures(record: Record) -> list[dict[str, Any]]:
    return [
        {"agent_id": one.agent_id, "stage": "proposal", "reason": one.reason.value, "detail": one.detail}
        for one in record.failures()
    ]


def _rejected(record: Record, gates: Mapping[str, GateReport]) -> list[dict[str, Any]]:
    return [
        {
            "agent_id": proposal.agent_id,
            "stage": "checks",
            "reason": "rejected",
            "detail": "; ".join(result.reason for result in gates[identity].failures),
        }
        for proposal in record.proposals(0)
        if (identity := proposal.proposal_id) in gates and gates[identity].excluded
    ]


def _missing_ballots(record: Record) -> list[dict[str, Any]]:
    return [
        {"agent_id": cast.agent_id, "stage": "ballot", "reason": cast.missing.value, "detail": cast.detail}
        for cast in record.ballots()
        if cast.missing is not None
    ]


def _usage_by_agent(record: Record) -> dict[str, dict[str, Any]]:
    by_agent: dict[str, dict[str, Any]] = {}
    for call in record.calls():
        row = by_agent.setdefault(call.agent_id, {"usage": Usage(), "calls": 0, "duration_ms": 0.0})
        row["usage"] += call.usage
        row["calls"] += 1
        row["duration_ms"] = round(row["duration_ms"] + call.duration_ms, 1)
    return {agent: {**row, "usage": row["usage"].model_dump()} for agent, row in sorted(by_agent.items())}


def _timings(record: Record, at: float) -> dict[str, float]:
    """Wall time of each stage in milliseconds: until the last proposal, and from there to the decision."""
    opened = record.deliberation.opened_at
    attempts = [record.attempt(0, agent.agent_id) for agent in record.deliberation.agents]
    proposed = max((one.at for one in attempts if one is not None), default=opened)
    voted = max((cast.at for cast in record.ballots()), default=proposed)
    return {
        "proposing_ms": round((proposed - opened) * 1000, 1),
        "reviewing_ms": round((voted - proposed) * 1000, 1),
        "concluding_ms": round((at - max(voted, proposed)) * 1000, 1),
    }
