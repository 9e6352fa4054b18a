"""A run of `make bench` is judged by its ratios."""

from __future__ import annotations

import pytest

from tests.bench.pipeline.goals import goals


def test_a_run_is_judged_by_its_ratios_to_the_bare_chord() -> None:
    judged = goals(idle=([2.2], [2.1]), busy=([2.5], [2.1]), cpu_s=(3.0, 1.5), commands=201)
    assert [goal.value for goal in judged] == pytest.approx([2.0, 5.0, 2.0, 201])
    assert [goal.met for goal in judged] == [True, False, True, False]


def test_the_median_counts_so_that_one_slow_try_decides_nothing() -> None:
    idle, *_ = goals(idle=([2.1, 9.0, 2.2], [2.1, 2.1, 5.0]), busy=([2.1], [2.1]), cpu_s=(1, 1), commands=1)
    assert idle.value == pytest.approx(2.0)
