"""Who owes a ballot: of copies one, but in version 1 of the ranking everyone."""

from __future__ import annotations

import pytest

from domain.candidates import candidate_of
from domain.checks.gate import GateReport
from domain.decision import ranking_inputs, ranking_of
from domain.ranking import RankingSettings
from tests.support import factories as make


@pytest.mark.parametrize(
    ("settings", "reviewers"),
    [
        (RankingSettings(), {"agent-1", "agent-2", "agent-3"}),
        (RankingSettings.current(), {"agent-2", "agent-3"}),
    ],
    ids=["version 1", "version 2"],
)
def test_an_author_of_all_candidates_is_a_reviewer_in_version_1_though_copies_voted(
    settings: RankingSettings, reviewers: set[str]
) -> None:
    """Two proposals were excluded, so that the third author's versions stood alone and it was asked nothing."""
    copies = [make.agent(f"agent-{n}") for n in (1, 2, 3)]
    revised = make.proposed("agent-1", round=1)
    first = [make.proposed(f"agent-{n}") for n in (1, 2, 3)]
    candidates = [candidate_of(first[0]), candidate_of(revised)]
    on = tuple(candidate.proposal_id for candidate in candidates)
    ballots = [make.ballot(f"agent-{n}", round=1, on=on) for n in (2, 3)]
    record = make.record(*first, revised, *ballots, of=make.deliberation(agents=copies, rounds=1))
    gates = dict.fromkeys(on, GateReport(results=(), overall_score=1.0, excluded=False))
    inputs = ranking_inputs(record, candidates, gates, 1).model_copy(update={"settings": settings})

    ranking = ranking_of(record, candidates, inputs)

    assert {report.reviewer for report in ranking.reviewers} == reviewers
