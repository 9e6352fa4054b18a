"""When a process that exited is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.processes.restarts import RestartPolicy, Restarts

POLICY = RestartPolicy()
PATIENCE = 5

young = st.floats(min_value=0, max_value=POLICY.long_life, exclude_max=True)
old = st.floats(min_value=POLICY.long_life, max_value=1e9)


def after(lives: list[tuple[float, bool]]) -> Restarts:
    restarts = Restarts()
    for lived, was_ready in lives:
        restarts = restarts.after_exit(lived=lived, was_ready=was_ready)
    return restarts


@given(st.lists(st.tuples(young, st.booleans()), min_size=PATIENCE, max_size=PATIENCE * 2))
def test_quick_exits_in_a_row_end_the_patience(lives: list[tuple[float, bool]]) -> None:
    assert after(lives).given_up
    assert not after(lives[: PATIENCE - 1]).given_up


@given(st.lists(st.tuples(young, st.booleans()), max_size=PATIENCE * 2), old)
def test_a_long_life_wipes_out_the_quick_exits_before_it(lives: list[tuple[float, bool]], lived: float) -> None:
    assert after([*lives, (lived, True)]) == Restarts()


@given(st.lists(old, min_size=PATIENCE, max_size=PATIENCE))
def test_a_long_life_that_was_never_ready_does_not_count_as_healthy(lives: list[float]) -> None:
    assert after([(lived, False) for lived in lives]).given_up


@given(st.integers(min_value=0, max_value=1000))
def test_the_wait_grows_and_stays_bounded(exits: int) -> None:
    delays = [Restarts(quick_exits=exits).delay, Restarts(quick_exits=exits + 1).delay]
    assert POLICY.first_delay <= delays[0] <= delays[1] <= POLICY.longest_delay


def test_the_wait_doubles_from_the_policys_first_to_its_longest() -> None:
    policy = RestartPolicy(first_delay=1.0, longest_delay=60.0, patience=None)
    delays = [Restarts(policy, quick_exits=exits).delay for exits in range(1, 9)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_policy_without_patience_never_gives_up_and_keeps_its_wait() -> None:
    restarts = Restarts(RestartPolicy(longest_delay=60.0, patience=None), quick_exits=100_000)
    assert not restarts.given_up
    assert restarts.delay == 60.0
