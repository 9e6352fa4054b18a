"""A killer of workers is told from a bystander, and from a task that kills have only delayed."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.losses import LOSSES, Loss, is_killer, losses_of, since_progress

LIMIT = 5


def alone(*moments: float) -> tuple[Loss, ...]:
    return tuple(Loss(at, 1.0) for at in moments)


def test_a_task_that_takes_down_worker_after_worker_is_a_killer_at_the_limit() -> None:
    assert not is_killer(alone(1, 2, 3, 4), LIMIT)
    assert is_killer(alone(1, 2, 3, 4, 5), LIMIT)


def test_what_was_lost_before_progress_accuses_no_more() -> None:
    losses = alone(1, 2, 3, 4, 5)
    assert since_progress(losses, 3) == alone(4, 5)
    assert not is_killer(since_progress(losses, 3), LIMIT)


def test_bystanders_of_two_waves_of_kills_are_far_from_the_limit() -> None:
    assert not is_killer((Loss(1, 0.25), Loss(2, 0.25)), LIMIT)


def test_a_killer_among_many_is_found_as_well() -> None:
    assert is_killer(tuple(Loss(at, 0.25) for at in range(20)), LIMIT)


@given(
    st.lists(st.none() | st.integers() | st.text() | st.lists(st.none() | st.integers() | st.text(), max_size=3))
)
def test_nonsense_in_the_header_accuses_nobody_and_raises_nothing(value: list[Any]) -> None:
    assert all(isinstance(loss.share, int) for loss in losses_of({LOSSES: value}))
    assert losses_of({LOSSES: {"at": 1}}) == losses_of({LOSSES: 3}) == ()
