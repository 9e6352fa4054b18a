"""A task's outcome says of the winner what the decision said of that very proposal."""

from __future__ import annotations

import pytest

from domain.proving.outcome import TaskOutcome
from tests.support import factories as make
from tests.unit.domain.proving.outcomes import outcome, proposal


@pytest.mark.parametrize(("chosen", "p_winner"), [("agent-1@0", 0.8), ("agent-2@0", None)])
def test_a_probability_of_the_rankings_winner_is_none_of_the_architects_choice(
    chosen: str, p_winner: float | None
) -> None:
    decision = make.completed_body(
        ranking=make.ranking(p_winner=0.8), winner={"proposal_id": chosen, "agent_id": chosen[:7]}
    )
    record = make.record(make.proposed("agent-1"), make.closed(result=decision))

    found = TaskOutcome.of("task", record, right=[])

    assert (found.winner, found.p_winner) == (chosen, p_winner)


@pytest.mark.parametrize(
    ("right", "p_winner", "verdict"),
    [
        ((True, False), 0.8, "accept"),
        ((False, True), 0.8, "reject"),
        ((True, False), None, None),
        ((True, True), 0.8, None),
        ((False, False), 0.8, None),
        ((), 0.8, None),
    ],
)
def test_a_check_judges_a_decision_that_claimed_something_where_proposals_differ(
    right: tuple[bool, ...], p_winner: float | None, verdict: str | None
) -> None:
    proposals = [proposal(f"a{place}", right=one) for place, one in enumerate(right)]
    assert outcome(proposals, winner="a0/0", p_winner=p_winner).verdict == verdict
