"""Borda, Copeland, W and alpha against independent libraries, on thousands of profiles with ties and gaps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations, islice

import choix
import krippendorff
import numpy as np
import pytest
import votelib.component.rankscore
import votelib.convert
import votelib.evaluate.condorcet
from scipy.stats import friedmanchisquare, kendalltau, rankdata

from domain.ranking import RankingSettings, rank
from domain.ranking.agreement import correlation, kendall_w, krippendorff_alpha
from domain.ranking.pairwise import Contests, borda
from tests.unit.domain.ranking.panels import entry_of, judged

Profile = list[dict[int, float]]
PROFILES = 2000


def profiles(seed: str, *, gaps: bool, ties: bool = True, least: int = 2) -> Iterator[tuple[int, Profile]]:
    """Random profiles of 3 to 8 proposals and 2 to 9 reviewers."""
    rng = random.Random(seed)
    for _ in range(PROFILES):
        size, reviewers = rng.randint(3, 8), rng.randint(least, 9)
        rows = [
            dict(enumerate(rng.choices(range(1, 10), k=size) if ties else rng.sample(range(100), size)))
            for _ in range(reviewers)
        ]
        if gaps:
            rows = [{c: s for c, s in row.items() if rng.random() < 0.7} for row in rows]
        yield size, [{c: float(s) for c, s in row.items()} for row in rows]


def ranked_vote(row: dict[int, float]) -> tuple[frozenset[int], ...]:
    """The row as votelib reads it: sets of equals, best first."""
    return tuple(frozenset(c for c in row if row[c] == score) for score in sorted(set(row.values()), reverse=True))


@pytest.mark.parametrize("gaps", [False, True])
def test_copeland_and_the_condorcet_winner_equal_votelib(gaps: bool) -> None:
    winners = 0
    for size, rows in profiles("copeland", gaps=gaps):
        ours = Contests(rows, size)
        pairs: dict[tuple[int, int], int] = {}
        for row in rows:
            converter = votelib.convert.RankedToCondorcetVotes(unranked_at_bottom=False)
            for pair, count in converter.convert({ranked_vote(row): 1}).items():
                pairs[pair] = pairs.get(pair, 0) + count
        wins = dict.fromkeys(range(size), 0)
        for a, b in combinations(range(size), 2):
            margin = pairs.get((a, b), 0) - pairs.get((b, a), 0)
            wins[a] += (margin > 0) - (margin < 0)
            wins[b] -= (margin > 0) - (margin < 0)
        assert ours.copeland() == wins
        contests = {(a, b): pairs.get((a, b), 0) for a in range(size) for b in range(size) if a != b}
        winner = votelib.evaluate.condorcet.CondorcetWinner().evaluate(contests)
        assert ours.condorcet() == (winner[0] if winner else None)
        winners += bool(winner)
    assert 0.1 * PROFILES < winners < 0.9 * PROFILES


def test_borda_equals_votelib_on_complete_strict_ballots() -> None:
    for size, rows in profiles("borda", gaps=False, ties=False):
        scorer = votelib.component.rankscore.Borda(base=0)
        scorer.set_n_candidates(size)
        points = scorer.scores(size)
        totals = [0] * size
        for row in rows:
            for place, (column,) in enumerate(ranked_vote(row)):
                totals[column] += points[place]
        shares = [total / len(rows) / (size - 1) for total in totals]
        assert borda(rows, size) == pytest.approx(shares)


def test_borda_with_ties_and_gaps_is_the_mean_share_of_rivals_beaten() -> None:
    for size, rows in profiles("borda gaps", gaps=True):
        shares: list[list[float]] = [[] for _ in range(size)]
        for row in rows:
            ranks = rankdata([-score for score in row.values()])
            for column, place in zip(row, ranks, strict=True):
                if len(row) > 1:
                    shares[column].append((len(row) - place) / (len(row) - 1))
        for ours, oracle in zip(borda(rows, size), shares, strict=True):
            assert ours == (pytest.approx(np.mean(oracle)) if oracle else None)


def test_kendall_w_equals_scipys_friedman_statistic_with_ties() -> None:
    for size, rows in profiles("w", gaps=False, least=2):
        columns = [[row[c] for row in rows] for c in range(size)]
        ours = kendall_w(rows, size)
        if all(len(set(row.values())) == 1 for row in rows):
            assert ours is None
            continue
        chi_square = friedmanchisquare(*columns).statistic
        assert ours == pytest.approx(chi_square / (len(rows) * (size - 1)))


def test_kendall_w_without_ties_is_the_mean_spearman_correlation_of_reviewers() -> None:
    for size, rows in profiles("w spearman", gaps=False, ties=False):
        ranks = [rankdata([row[c] for c in range(size)]) for row in rows]
        rhos = np.corrcoef(ranks)[np.triu_indices(len(rows), 1)]
        assert kendall_w(rows, size) == pytest.approx((1 + (len(rows) - 1) * np.mean(rhos)) / len(rows))


def test_kendall_w_without_own_proposals_is_durbins_coefficient() -> None:
    """W = 12 Σ (R - mean R)² / (λ² n (n² - 1)), λ = n - 2 ballots per pair, where the majority forms an order."""
    rng, ordered = random.Random("durbin"), 0
    for _ in range(PROFILES):
        size = rng.randint(3, 8)
        rows = [
            dict(zip((c for c in range(size) if c != own), rng.sample(range(99), size - 1), strict=True))
            for own in range(size)
        ]
        sums = [0.0] * size
        for row in rows:
            for column, place in zip(sorted(row), rankdata([-row[c] for c in sorted(row)]), strict=True):
                sums[column] += place
        durbin = 12 * np.var(sums) * size / ((size - 2) ** 2 * size * (size**2 - 1))
        contests = Contests(rows, size)
        decided = all(contests.outcome(a, b) for a, b in combinations(range(size), 2))
        if decided and len(set(contests.copeland().values())) == size:
            ordered += 1
            assert kendall_w(rows, size) == pytest.approx(durbin)
    assert ordered > PROFILES / 20


def test_kendall_w_stays_between_none_and_full_whatever_is_missing() -> None:
    for size, rows in profiles("w gaps", gaps=True):
        w = kendall_w(rows, size)
        assert w is None or 0 <= w <= 1


def test_kendall_w_is_full_whenever_reviewers_agree_on_what_they_saw() -> None:
    rng = random.Random("unanimous")
    for size, rows in profiles("unanimous", gaps=True):
        truth = [rng.randint(1, 5) for _ in range(size)]
        agreed = [{c: float(truth[c]) for c in row} for row in rows]
        w = kendall_w(agreed, size)
        assert w is None or w == pytest.approx(1)


@pytest.mark.parametrize("gaps", [False, True])
def test_alpha_equals_the_krippendorff_library(gaps: bool) -> None:
    compared = 0
    for size, rows in profiles("alpha", gaps=gaps):
        table = np.array([[row.get(c, np.nan) for c in range(size)] for row in rows])
        pairable = table[:, np.sum(~np.isnan(table), axis=0) > 1]
        ours = krippendorff_alpha(rows, size)
        if len({value for value in pairable.flat if not np.isnan(value)}) < 2:
            assert ours is None
            continue
        compared += 1
        oracle = krippendorff.alpha(reliability_data=pairable, level_of_measurement="interval")
        assert ours == pytest.approx(oracle)
    assert compared > PROFILES * 0.9


def test_correlation_equals_numpys() -> None:
    rng = random.Random("pearson")
    for size, rows in profiles("pearson", gaps=False):
        reference = [rng.gauss(0, 1) for _ in range(size)]
        for row in rows:
            ours = correlation(row, reference)
            if len(set(row.values())) == 1:
                assert ours is None
            else:
                assert ours == pytest.approx(np.corrcoef([row[c] for c in range(size)], reference)[0, 1])


def test_effects_order_unanimous_panels_as_bradley_terry_does() -> None:
    for size, rows in islice(profiles("choix", gaps=False, ties=False), 300):
        truth = rows[0]
        ranking = rank(judged(*[[truth[c] + shift for c in range(size)] for shift in range(3)]))
        duels = [(a, b) for a in range(size) for b in range(size) if truth[a] > truth[b]]
        strengths = choix.ilsr_pairwise(size, duels, alpha=0.1)
        assert [entry.proposal for entry in ranking.entries] == [f"p{c}" for c in np.argsort(-strengths)]


def test_effects_and_bradley_terry_strengths_mostly_agree_on_random_panels() -> None:
    taus = []
    for size, rows in islice(profiles("choix random", gaps=False, least=4), 300):
        ranking = rank(
            judged(*[[row[c] for c in range(size)] for row in rows]), settings=RankingSettings(robust_from=99)
        )
        duels = [(a, b) for row in rows for a in row for b in row if row[a] > row[b]]
        strengths = choix.ilsr_pairwise(size, duels, alpha=0.1)
        taus.append(kendalltau(strengths, [entry_of(ranking, f"p{c}").effect for c in range(size)]).statistic)
    assert np.mean(taus) > 0.8
