"""The bootstrap: every resample where they are few, seeded draws where they are many, and what follows."""

from __future__ import annotations

from itertools import product
from math import sqrt

import pytest
from hypothesis import given, settings

from domain.ranking import RankingSettings, rank
from domain.ranking.effects import ScoreModel
from domain.ranking.panel import panel_of
from domain.ranking.rng import SplitMix64
from domain.ranking.uncertainty import assess, resamples
from tests.support.examples import examples
from tests.unit.domain.ranking.panels import Drawn, entry_of, judged, panels, reviewed


def test_few_reviewers_are_resampled_exhaustively() -> None:
    counted = {tuple(members): count for count, members in resamples(3, RankingSettings())}
    brute: dict[tuple[int, ...], int] = {}
    for draw in product(range(3), repeat=3):
        brute[tuple(sorted(draw))] = brute.get(tuple(sorted(draw)), 0) + 1
    assert counted == brute


def test_many_reviewers_are_drawn_by_the_seed() -> None:
    first, repeated, differently_seeded = (list(resamples(9, RankingSettings(seed=seed))) for seed in (1, 1, 2))
    assert first == repeated != differently_seeded
    assert len(first) == RankingSettings().resamples


def test_picks_come_equally_often() -> None:
    drawn = SplitMix64(7).picks(60_000, 6)
    counts = [drawn.count(i) for i in range(6)]
    assert all(abs(count - 10_000) < 5 * sqrt(10_000 * 5 / 6) for count in counts)


def test_the_generator_gives_the_published_sequence() -> None:
    """The first words for seed 1234567, as the reference implementation of SplitMix64 prints them."""
    generator = SplitMix64(1234567)
    assert [generator.word() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@given(panels(least=3, most=4, gaps=False))
@settings(max_examples=examples(40))
def test_probabilities_and_intervals_equal_a_plain_count_over_all_draws(drawn: Drawn) -> None:
    panel = panel_of(drawn.ballots, rubric=None, excluded=(), authors={}, reviewers=())
    rows = [row for row in panel.rows if len(row.scores) > 1]
    if len(rows) > 5:
        rows = rows[:5]
    model = ScoreModel(panel, rows, RankingSettings())
    ones = [1.0] * len(rows)
    fit = model.fit(ones, model.leave_one_out(ones))
    size, n = len(fit.effects), len(rows)
    scale = sqrt((n - 1) / n)
    wins, tops = [0.0] * size, [0] * size
    for draw in product(range(n), repeat=n):
        effects = [
            fit.effects[c]
            + scale * sum((draw.count(r) - 1) * (fit.effects[c] - fit.without[r][c]) for r in range(n))
            for c in range(size)
        ]
        best = [c for c in range(size) if max(effects) - effects[c] < 1e-9]
        for c in best:
            wins[c] += 1 / len(best) / n**n
            tops[c] += 1
    uncertainty = assess(fit, range(size), range(n), [float("inf")] * size, RankingSettings())
    assert [uncertainty.p_best[c] for c in range(size)] == pytest.approx(wins)
    assert [uncertainty.intervals[c][0] == 1 for c in range(size)] == [top >= 0.05 * n**n - 1e-9 for top in tops]


@given(panels())
def test_probabilities_add_up_and_intervals_hold_their_rank(drawn: Drawn) -> None:
    ranking = rank(drawn.ballots, authors=drawn.author_of)
    probabilities = [entry.p_best for entry in ranking.entries if entry.p_best is not None]
    assert not probabilities or sum(probabilities) == pytest.approx(1)
    for entry in ranking.entries:
        assert 1 <= entry.interval[0] <= entry.rank <= entry.interval[1] <= len(ranking.entries)
    assert ranking.tied == (len(ranking.tied_with_winner) > 1)
    assert not ranking.tied or ranking.winner in ranking.tied_with_winner


def test_reviewers_that_agree_leave_no_doubt() -> None:
    ranking = rank(reviewed([8, 6, 5, 3]))
    assert ranking.stability == 1
    assert not ranking.tied
    assert [entry.interval for entry in ranking.entries] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_one_reviewer_alone_says_nothing_about_how_sure_it_is() -> None:
    ranking = rank(judged([9, 5, 1]))
    assert ranking.winner == "p0"
    assert ranking.p_winner is None
    assert ranking.tied
    assert all(entry.interval == (1, 3) for entry in ranking.entries)


def test_a_near_tie_is_told_as_one() -> None:
    ranking = rank(judged([7, 6, 2], [6, 7, 2], [7, 6, 1], [6, 7, 3], [7, 6, 2]))
    assert ranking.tied_with_winner == ("p0", "p1")
    assert 0.5 < (ranking.stability or 0) < 0.9
    assert not entry_of(ranking, "p2").tied


def test_leaving_out_the_reviewer_who_decided_changes_the_winner_named_beside_it() -> None:
    ranking = rank(judged([9, 1], [4, 5], [4, 5]))
    without = {report.reviewer: report.winner_without for report in ranking.reviewers if report.scored}
    assert without["judge0"] == "p1"
