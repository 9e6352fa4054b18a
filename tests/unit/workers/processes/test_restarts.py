"""When a dead process is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.processes.restarts import FIRST_DELAY, LONG_LIFE, LONGEST_DELAY, PATIENCE, Restarts

young = st.floats(min_value=0, max_value=LONG_LIFE, exclude_max=True)
old = st.floats(min_value=LONG_LIFE, max_value=1e9)


def after(deaths: list[tuple[float, bool]]) -> Restarts:
    restarts = Restarts()
    for lived, was_ready in deaths:
        restarts = restarts.after_death(lived=lived, was_ready=was_ready)
    return restarts


@given(st.lists(st.tuples(young, st.booleans()), min_size=PATIENCE, max_size=PATIENCE * 2))
def test_quick_deaths_in_a_row_end_the_patience(deaths: list[tuple[float, bool]]) -> None:
    assert after(deaths).given_up
    assert not after(deaths[: PATIENCE - 1]).given_up


@given(st.lists(st.tuples(young, st.booleans()), max_size=PATIENCE * 2), old)
def test_a_long_life_wipes_out_the_young_deaths(deaths: list[tuple[float, bool]], lived: float) -> None:
    assert after([*deaths, (lived, True)]) == Restarts()


@given(st.lists(old, min_size=PATIENCE, max_size=PATIENCE))
def test_a_long_life_that_was_never_ready_does_not_count_as_healthy(lives: list[float]) -> None:
    assert after([(lived, False) for lived in lives]).given_up


@given(st.integers(min_value=0, max_value=1000))
def test_the_wait_grows_and_stays_bounded(deaths: int) -> None:
    assert FIRST_DELAY <= Restarts(deaths).delay <= Restarts(deaths + 1).delay <= LONGEST_DELAY
