"""Outcomes of checked tasks, made by hand and drawn at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from domain.proving.outcome import CheckedProposal, SingleAgent, TaskOutcome


def proposal(author: str, *, right: bool = False, characters: int = 100, tokens: int = 50) -> CheckedProposal:
    return CheckedProposal(
        proposal_id=f"{author}/0", author=author, right=right, characters=characters, tokens=tokens, seconds=1.0
    )


def outcome(
    proposals: Sequence[CheckedProposal],
    *,
    scores: Mapping[str, Mapping[str, float]] | None = None,
    winner: str | None = None,
    **changes: Any,
) -> TaskOutcome:
    """Return a decided outcome whose winner is as right as its proposal is."""
    right = {one.proposal_id: one.right for one in proposals}
    values = {
        "task_id": "t",
        "deliberation_id": "d-1",
        "proposals": tuple(proposals),
        "scores": scores or {},
        "review_tokens": {},
        "models": {},
        "winner": winner,
        "winner_right": right.get(winner or "", False),
        "p_winner": None,
        "tokens": 1000,
        "seconds": 10.0,
    }
    return TaskOutcome.model_validate(values | changes)


@st.composite
def drawn_outcomes(draw: st.DrawFn) -> list[TaskOutcome]:
    """Draw one to twelve tasks with up to six proposals, any winner among them or none, any scores."""
    tasks = draw(st.integers(1, 12))
    return [draw(_drawn_outcome(f"t{number}")) for number in range(tasks)]


@st.composite
def _drawn_outcome(draw: st.DrawFn, task_id: str) -> TaskOutcome:
    count = draw(st.integers(0, 6))
    proposals = [
        proposal(f"a{number}", right=draw(st.booleans()), characters=draw(st.integers(1, 3)), tokens=number)
        for number in range(count)
    ]
    ids = [one.proposal_id for one in proposals]
    scores = {
        f"r{number}": {one: float(draw(st.integers(1, 3))) for one in ids if draw(st.booleans())}
        for number in range(draw(st.integers(0, 3)))
    }
    winner = draw(st.sampled_from([None, *ids]))
    share = st.floats(0, 1, allow_nan=False)
    single = draw(
        st.none() | st.builds(SingleAgent, right=share, samples=st.just(1), tokens=st.just(1), seconds=share)
    )
    p_winner = draw(st.none() | share) if winner else None
    return outcome(proposals, scores=scores, winner=winner, task_id=task_id, p_winner=p_winner, single=single)
