"""Gaps, intervals and reliability against numpy and scipy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import bootstrap

from domain.proving.gap import mean_interval, recovered_gap, resampled
from domain.proving.outcome import SingleAgent, TaskOutcome
from domain.proving.proof import BOUNDS, Proof, proof_of, reliability_table
from domain.proving.rules import COUNCIL, ORACLE, RANDOM, SINGLE, rules_for
from tests.unit.domain.proving.outcomes import drawn_outcomes, outcome, proposal


@given(drawn_outcomes())
def test_gaps_and_intervals_are_numpys_on_the_same_draws(outcomes: list[TaskOutcome]) -> None:
    rules = rules_for(outcomes)
    by_rule = {name: [rule(one) for one in outcomes] for name, rule in rules.items()}
    draws = resampled(len(outcomes), seed=7, resamples=60)
    places = np.array(draws)
    random, oracle = np.array(by_rule[RANDOM]), np.array(by_rule[ORACLE])
    for values in by_rule.values():
        column = np.array(values)
        shares = column[places].mean(axis=1)
        measured = mean_interval(values, draws)
        assert measured.value == pytest.approx(column.mean())
        assert (measured.low, measured.high) == pytest.approx(_percentiles(shares))
        gap = recovered_gap(values, by_rule, draws)
        possible = (oracle - random).sum()
        if possible < 1e-12:
            assert gap.value is None
            continue
        assert gap.value == pytest.approx((column - random).sum() / possible)
        drawn_possible = (oracle - random)[places].sum(axis=1)
        held = drawn_possible > 1e-12
        ratios = (column - random)[places].sum(axis=1)[held] / drawn_possible[held]
        assert (gap.low, gap.high) == (pytest.approx(_percentiles(ratios)) if held.any() else (None, None))


def _percentiles(values: np.typing.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)


def test_the_intervals_are_scipys_paired_bootstrap_within_its_noise() -> None:
    generator = np.random.default_rng(3)
    tasks = 150
    random = generator.uniform(0, 0.8, tasks)
    oracle = np.ones(tasks)
    rule = (generator.uniform(size=tasks) < random + 0.15).astype(float)

    def gap(rule: np.ndarray, random: np.ndarray, oracle: np.ndarray, axis: int = -1) -> np.ndarray:
        return (rule - random).sum(axis=axis) / (oracle - random).sum(axis=axis)  # type: ignore[no-any-return]

    reference = bootstrap(
        (rule, random, oracle), gap, paired=True, vectorized=True, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    ours = recovered_gap(list(rule), {RANDOM: list(random), ORACLE: list(oracle)}, resampled(tasks))
    width = reference.high - reference.low
    assert ours.low == pytest.approx(reference.low, abs=0.05 * width)
    assert ours.high == pytest.approx(reference.high, abs=0.05 * width)


def test_draws_are_seeded_even_and_cover_more_tasks_than_a_byte_holds() -> None:
    assert resampled(5, seed=1, resamples=3) == resampled(5, seed=1, resamples=3)
    assert resampled(5, seed=1, resamples=3) != resampled(5, seed=2, resamples=3)
    counts = np.bincount(np.array(resampled(1000, resamples=200)).ravel(), minlength=1000)
    assert counts.min() > 200 * 0.6
    assert counts.max() < 200 * 1.4


def _five_tasks() -> list[TaskOutcome]:
    """The council is right where anything is, twice by luck alone; the single agent in two of five."""
    single = [SingleAgent(right=share, samples=4, tokens=900, seconds=4.0) for share in (1.0, 1.0, 0.0, 0.0, 0.0)]
    return [
        outcome(
            [proposal("a", right=first), proposal("b", right=second)],
            winner="a/0" if first else "b/0",
            p_winner=said,
            task_id=str(number),
            single=single[number],
        )
        for number, (first, second, said) in enumerate(
            [
                (True, False, 0.95),
                (False, True, 1.0),
                (True, True, 0.92),
                (False, False, 0.55),
                (False, False, None),
            ]
        )
    ]


def test_a_proof_says_what_the_council_gains_over_chance_and_over_a_single_agent() -> None:
    proof = proof_of(_five_tasks())
    assert (proof.tasks, proof.telling) == (5, 2)
    assert proof.row(COUNCIL).right.value == pytest.approx(0.6)
    assert proof.row(RANDOM).right.value == pytest.approx(0.4)
    assert [proof.row(rule).gap.value for rule in (RANDOM, COUNCIL, ORACLE)] == [0.0, 1.0, 1.0]
    assert proof.row(SINGLE).right.value == pytest.approx(0.4)
    assert proof.gain is not None
    assert proof.gain.value == pytest.approx(0.2)
    assert (proof.council_seconds, proof.single_seconds) == (10.0, 4.0)


def test_the_table_of_confidence_shows_best_and_right_apart() -> None:
    low, high = reliability_table(_five_tasks())
    assert (low.low, low.high, low.decisions, low.best, low.right) == (0.5, 0.6, 1, 1.0, 0.0)
    assert (high.low, high.high, high.decisions, high.best, high.right) == (0.9, 1.0, 3, 1.0, 1.0)
    assert high.said == pytest.approx((0.95 + 1.0 + 0.92) / 3)


def test_what_claims_nothing_or_decides_nothing_is_counted() -> None:
    proof = proof_of([*_five_tasks(), outcome([proposal("a", right=True)], winner=None)])
    assert (proof.tasks, proof.undecided, proof.unclaimed) == (6, 1, 1)
    assert proof.row(COUNCIL).right.value == pytest.approx(0.5)


@given(drawn_outcomes())
def test_every_claim_is_in_one_bucket_and_within_its_bounds(outcomes: list[TaskOutcome]) -> None:
    table = reliability_table(outcomes)
    assert sum(bucket.decisions for bucket in table) == sum(one.p_winner is not None for one in outcomes)
    for bucket in table:
        assert (bucket.low, bucket.high) in pairwise(BOUNDS)
        assert bucket.low <= bucket.said + 1e-12
        assert bucket.said <= bucket.high + 1e-12
        assert bucket.right <= bucket.best


@given(drawn_outcomes())
def test_a_proof_survives_its_own_json(outcomes: list[TaskOutcome]) -> None:
    proof = proof_of(outcomes, resamples=20)
    assert Proof.model_validate_json(proof.model_dump_json()) == proof


def test_no_outcomes_prove_nothing() -> None:
    with pytest.raises(ValueError, match="no task"):
        proof_of([])
