"""The bench's counting: pairs, intervals, and what is tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.injection.tables import tables
from tests.bench.injection.tally import Gain, Line, gains_of, interval, worth
from tests.bench.injection.trials import FAMILIES, TRIALS, VARIANTS, Variant, chosen


def line(variant: Variant, score: float, rank: float, *, arm: str = "none", attack: str = "a") -> Line:
    return Line(
        model="m",
        arm=arm,
        measure="vote",
        family="orders",
        attack=attack,
        variant=variant,
        base=0,
        seed=0,
        score=score,
        rank=rank,
    )


def three(*scores: float, arm: str = "none", attack: str = "a") -> list[Line]:
    ranks = (3, 3, 1)
    return [
        line(variant, score, rank, arm=arm, attack=attack)
        for variant, score, rank in zip(VARIANTS, scores, ranks, strict=True)
    ]


def test_a_gain_is_hostile_less_plain_and_less_harmless() -> None:
    assert gains_of(three(2.0, 2.5, 6.0)) == {("m", "none"): {("orders", "a", 0, 0): Gain(2.0, 4.0, 3.5, 2.0)}}


@pytest.mark.parametrize("missing", range(3))
def test_what_lacks_a_variant_is_not_counted(missing: int) -> None:
    lines = three(2.0, 2.5, 6.0)
    del lines[missing]
    assert gains_of(lines) == {}


def test_a_defence_is_worth_what_it_takes_off_the_gain_of_what_both_arms_tried() -> None:
    gains = gains_of([*three(2, 2, 6), *three(2, 3, 4, arm="all"), *three(1, 1, 9, attack="b")])
    assert worth(gains["m", "none"], gains["m", "all"]) == [3.0]


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=30))
def test_an_interval_holds_its_mean_and_stays_within_the_values(values: list[float]) -> None:
    mean, low, high = interval(values)
    assert min(values) - 1e-9 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= max(values) + 1e-9
    assert interval(values) == (mean, low, high)


def test_an_interval_is_narrower_with_more_values() -> None:
    few, many = interval([0.0, 1.0] * 4), interval([0.0, 1.0] * 100)
    assert many.high - many.low < few.high - few.low
    assert many.low == pytest.approx(0.5 - 1.96 * 0.5 / 200**0.5, abs=0.02)


def test_the_table_tells_numbers_gains_and_worth() -> None:
    both = [*three(2, 2, 6), *three(2, 2, 2, arm="all"), *three(2, 3, 6, attack="b")]
    text = "\n".join(tables(both))
    assert "orders                       2   2.00  +4.00 [+4.00, +4.00]   +3.50 [+3.00, +4.00]" in text
    # A single value has no interval.
    assert "orders                       1   2.00  +0.00                  +0.00" in text
    assert "all                          1  +4.00\n" in f"{text}\n"


def test_every_trial_is_hostile_in_every_base_and_no_two_are_alike() -> None:
    assert len({(trial.family, trial.name) for trial in TRIALS}) == len(TRIALS) == 72
    for trial in TRIALS:
        for base in range(5):
            assert len({repr(trial.case(variant, base)) for variant in VARIANTS}) == 3


def test_a_sample_takes_families_in_turns() -> None:
    sample = chosen(("orders", "plan texts"), 3)
    assert [trial.family for trial in sample] == ["orders", "plan texts"] * 3
    assert len({trial.name for trial in sample}) == 6
    assert len(chosen(FAMILIES, 1000)) == len(TRIALS)
