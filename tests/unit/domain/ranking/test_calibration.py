"""An installation's calibration: what it learns, how slowly, and that it turns no order round."""

from __future__ import annotations

import random
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from domain.ranking import Calibration, calibrate

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40)


def overconfident(count: int) -> list[tuple[float, bool]]:
    """Says 0.6 to 0.95 and is right 0.3 less often."""
    rng = random.Random(count)
    said = [rng.uniform(0.6, 0.95) for _ in range(count)]
    return [(p, rng.random() < p - 0.3) for p in said]


def test_without_verdicts_nothing_changes() -> None:
    assert calibrate([]) == Calibration()
    assert calibrate([]).apply(0.8312) == 0.8312


@pytest.mark.parametrize("count", [5, 60, 900])
def test_it_is_the_greatest_penalised_likelihood(count: int) -> None:
    pairs = overconfident(count)
    x = np.array([log(p / (1 - p)) for p, _ in pairs])
    y = np.array([float(right) for _, right in pairs])

    def loss(ab: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        odds = ab[0] + ab[1] * x
        return float(np.sum(np.logaddexp(0, odds) - y * odds) + 1.25 * (ab[0] ** 2 + (ab[1] - 1) ** 2))

    best = minimize(loss, [0.0, 1.0], bounds=[(-9, 9), (0.1, 9)], tol=1e-12).x
    learned = calibrate(pairs)
    assert (learned.intercept, learned.slope) == pytest.approx(best, abs=1e-4)
    assert learned.verdicts == count


def test_few_verdicts_move_it_little_and_many_make_it_true() -> None:
    few, many = calibrate(overconfident(4)), calibrate(overconfident(2000))
    assert 0.6 < few.apply(0.8) < 0.8
    assert many.apply(0.8) == pytest.approx(0.5, abs=0.04)


@given(PAIRS, st.floats(0.01, 0.98))
def test_it_never_turns_an_order_round_and_can_be_undone(pairs: list[tuple[float, bool]], said: float) -> None:
    learned = calibrate(pairs)
    assert learned.apply(said) < learned.apply(said + 0.01)
    assert learned == calibrate(reversed(pairs))
    if 0.002 < learned.apply(said) < 0.998:
        assert learned.undo(learned.apply(said)) == pytest.approx(said)


def test_verdicts_that_contradict_every_probability_flatten_and_do_not_invert() -> None:
    contrary = [(p, p < 0.5) for p in (0.05, 0.1, 0.9, 0.95) for _ in range(200)]
    assert calibrate(contrary).slope == 0.1
