"""How much of a reviewer's mean is severity: all of it where scales differ, little where they are shared."""

from __future__ import annotations

import random

import numpy as np
import pytest

from domain.ranking import Ballot, RankingSettings, rank
from domain.ranking.severity import severity_ridge
from tests.unit.domain.ranking.panels import authorship, ballot, entry_of

Cells = list[dict[int, float]]


def drawn(severity: float, seed: int, reviewers: int = 40) -> Cells:
    """Eight proposals, each left out by some; error variance 1, severities of the given standard deviation."""
    rng = random.Random(seed)
    quality = [rng.gauss(0, 1.5) for _ in range(8)]
    rows = []
    for _ in range(reviewers):
        offset = rng.gauss(0, severity)
        row = {c: q + offset + rng.gauss(0, 1) for c, q in enumerate(quality) if rng.random() < 0.8}
        rows.append(row if len(row) > 1 else {0: 1.0, 1: 2.0})
    return rows


def by_projections(rows: Cells) -> float:
    """Henderson's method III without a prior, from projection matrices."""
    cells = [(r, c, score) for r, row in enumerate(rows) for c, score in row.items()]
    proposals, reviewers = np.zeros((len(cells), 8)), np.zeros((len(cells), len(rows)))
    for i, (r, c, _) in enumerate(cells):
        proposals[i, c] = reviewers[i, r] = 1
    y = np.array([score for _, _, score in cells])

    def residual(
        matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        return np.eye(len(cells)) - matrix @ np.linalg.pinv(matrix)

    alone, full = residual(proposals), residual(np.hstack([proposals, reviewers]))
    left, beyond = float(y @ full @ y), float(y @ alone @ y - y @ full @ y)
    spare, links = round(float(np.trace(full))), round(float(np.trace(alone) - np.trace(full)))
    error = left / spare
    return error / ((beyond - links * error) / float(np.trace(reviewers.T @ alone @ reviewers)))


@pytest.mark.parametrize("seed", range(5))
def test_the_ridge_is_hendersons_ratio_once_the_prior_is_outweighed(seed: int) -> None:
    rows = drawn(1.0, seed)
    assert severity_ridge(rows, 1.5, prior=1e-9) == pytest.approx(by_projections(rows), rel=1e-6)


def test_it_recovers_the_ratio_of_variances() -> None:
    ratios = [severity_ridge(drawn(0.7, seed), 1.5, prior=8) for seed in range(8)]
    assert sum(ratios) / len(ratios) == pytest.approx(1 / 0.49, rel=0.3)


def test_shared_scales_give_a_large_ridge_and_scales_of_their_own_a_small_one() -> None:
    assert severity_ridge(drawn(0.0, 1), 1.5, prior=8) > 10
    assert severity_ridge(drawn(5.0, 1), 1.5, prior=8) < 0.2


def council(quality: list[float], severity: list[float]) -> list[Ballot]:
    """Authors that score the others' proposals at quality plus their own severity."""
    author_of = authorship(len(quality))
    return [
        ballot(a, author_of, {p: quality[int(p[1])] + extra for p in author_of if author_of[p] != a})
        for a, extra in zip(author_of.values(), severity, strict=True)
    ]


def test_on_a_shared_scale_effects_come_near_the_means() -> None:
    ballots = [
        ballot("a0", authorship(3), {"p1": 7, "p2": 5}),
        ballot("a1", authorship(3), {"p0": 8, "p2": 6}),
        ballot("a2", authorship(3), {"p0": 8, "p1": 6}),
    ]
    means = {"p0": 8.0, "p1": 6.5, "p2": 5.5}

    def distance(settings: RankingSettings) -> float:
        ranking = rank(ballots, settings=settings)
        return sum(abs((entry_of(ranking, p).score or 0) - mean) for p, mean in means.items())

    assert distance(RankingSettings.current()) < distance(RankingSettings())


def test_a_reviewer_far_more_severe_than_the_rest_decides_nothing() -> None:
    fair, harsh = council([8, 7, 5, 3], [0, 0, 0, 0]), council([8, 7, 5, 3], [-40, 0, 0, 0])
    assert [e.proposal for e in rank(harsh).entries] == [e.proposal for e in rank(fair).entries]
    before, after = ({e.proposal: e.effect for e in rank(ballots).entries} for ballots in (fair, harsh))
    assert after == pytest.approx(before, abs=0.35)
