"""From a record to its decision: pure, so that a stored deliberation replays to the same ranking, bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from domain.candidates import authors_of, ballots_of, best_versions, spared
from domain.checks.gate import GateReport
from domain.council import voice_of
from domain.ranking import Comparison, Ranking, RankingInputs, RankingSettings, rank
from domain.record import Record
from domain.review.candidate import Candidate

HIGHEST_SCORE = 9.0
"""Of the ballot's scale."""


def caps_of(gates: Mapping[str, GateReport]) -> dict[str, float]:
    """Return the highest score that the checks allow, for every proposal that they cap."""
    return {
        proposal: gate.capped(HIGHEST_SCORE) for proposal, gate in sorted(gates.items()) if gate.cap is not None
    }


def ranking_inputs(
    record: Record, candidates: Sequence[Candidate], gates: Mapping[str, GateReport], round_: int
) -> RankingInputs:
    """Gather what the ranking of one round's ballots reads."""
    deliberation, copies = record.deliberation, spared(record, round_)
    return RankingInputs(
        round=round_,
        authors=authors_of(candidates),
        reviewers=tuple(judge.agent_id for judge in deliberation.judges if judge.agent_id not in copies),
        checks={candidate.proposal_id: gates[candidate.proposal_id].overall_score for candidate in candidates},
        hashes={
            candidate.proposal_id: hashlib.sha256(candidate.text.encode()).hexdigest() for candidate in candidates
        },
        caps=caps_of(gates),
        voices={agent.agent_id: voice_of(agent) for agent in deliberation.reviewers},
        settings=RankingSettings.current(
            seed=int(hashlib.sha256(deliberation.seed.encode()).hexdigest()[:8], 16),
            swing=deliberation.review.swing,
            use_reliability=deliberation.review.use_reliability,
        ),
    )


def ranking_of(record: Record, candidates: Sequence[Candidate], inputs: RankingInputs) -> Ranking:
    """Rank the candidates by the ballots of the inputs' round.

    Who wrote an earlier winner and no proposal this time was asked for no ballot either, so it owes none; nor does
    a copy of a reviewer that was asked. Version 1 asked all.
    """
    copies = spared(record, inputs.round) if inputs.settings.by_voice else frozenset[str]()
    proposers = {proposal.agent_id for proposal in record.proposals(0)}
    return rank(
        ballots_of(record, candidates, inputs.round, inputs.voices),
        settings=inputs.settings,
        rubric=record.deliberation.rubric,
        checks=inputs.checks,
        hashes=inputs.hashes,
        caps=inputs.caps,
        authors=inputs.authors,
        reviewers=inputs.reviewers,
        absent=set(inputs.authors.values()) - proposers | copies,
        excluded=inputs.excluded,
        reliability=inputs.reliability,
        second_look=inputs.second_look,
        comparisons=comparisons_of(record, inputs) if inputs.second_look else (),
    )


def comparisons_of(record: Record, inputs: RankingInputs) -> tuple[Comparison, ...]:
    """Return the comparisons of the inputs' round that were answered, as values of the ranking."""
    return tuple(
        Comparison(
            entry.agent_id,
            voice=inputs.voices.get(entry.agent_id, entry.agent_id),
            first=entry.first,
            second=entry.second,
            p_first=entry.reading,
        )
        for entry in record.comparisons(inputs.round)
        if entry.reading is not None
    )


def champions(candidates: Sequence[Candidate], ranking: Ranking) -> tuple[Candidate, ...]:
    """Keep each author's best version by the ranking of all versions."""
    effects = {entry.proposal: entry.effect for entry in ranking.entries if entry.effect is not None}
    return best_versions(candidates, effects)


def without_losers(inputs: RankingInputs, kept: Sequence[Candidate]) -> RankingInputs:
    """Exclude the versions that lost to their author's other one."""
    losers = sorted(set(inputs.authors) - {candidate.proposal_id for candidate in kept})
    return inputs.model_copy(update={"excluded": tuple(losers)})


def replay(record: Record) -> tuple[Ranking, Ranking]:
    """Return the stored ranking and the one that the stored ballots give now; equal if the decision replays.

    Raises LookupError if the deliberation was not decided.
    """
    decision = record.closed.decision if record.closed else None
    if decision is None:
        identity = record.deliberation.deliberation_id
        raise LookupError(f"{identity} has no decision to replay: it is {record.state}")
    inputs = decision.ranking_inputs
    candidates = [
        Candidate(proposal_id=proposal, author=author, text="") for proposal, author in inputs.authors.items()
    ]
    return decision.ranking, ranking_of(record, candidates, inputs)
