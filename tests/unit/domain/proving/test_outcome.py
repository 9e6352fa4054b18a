"""A task's outcome says of the winner what the decision said of that very proposal."""

from __future__ import annotations

import pytest

from domain.proving.outcome import TaskOutcome
from tests.support import factories as make


@pytest.mark.parametrize(("chosen", "p_winner"), [("agent-1@0", 0.8), ("agent-2@0", None)])
def test_a_probability_of_the_rankings_winner_is_none_of_the_architects_choice(
    chosen: str, p_winner: float | None
) -> None:
    decision = make.completed_body(
        ranking=make.ranking(p_winner=0.8), winner={"proposal_id": chosen, "agent_id": chosen[:7]}
    )
    record = make.record(make.proposed("agent-1"), make.closed(result=decision))

    outcome = TaskOutcome.of("task", record, right=[])

    assert (outcome.winner, outcome.p_winner) == (chosen, p_winner)
