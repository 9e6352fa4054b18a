"""The score model against a plain least-squares solver, and what it does to severity, spread and gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from domain.ranking import RankingSettings, rank
from domain.ranking.effects import ScoreModel
from domain.ranking.panel import Panel, Row, panel_of
from domain.rubric import Criterion, Rubric
from tests.unit.domain.ranking.panels import CRITERIA, Drawn, authorship, ballot, entry_of, judged, panels

SETTINGS = RankingSettings()
RUBRIC = Rubric(criteria=(Criterion(name="fit", weight=3), Criterion(name="clarity", weight=1)))


def seated(drawn: Drawn) -> tuple[Panel, list[Row]]:
    panel = panel_of(drawn.ballots, rubric=RUBRIC, excluded=(), authors=drawn.author_of, reviewers=())
    return panel, [row for row in panel.rows if len(row.scores) > 1]


def least_squares(model: ScoreModel, rows: list[Row], weights: list[float], ridge: float) -> NDArray[np.float64]:
    """Effects by numpy: one equation per score, one per reviewer for the ridge on its offset."""
    place = {column: i for i, column in enumerate(model.compared)}
    size, equations, right = len(place), [], []
    for r, own in enumerate(model.ballots):
        for column, score in own.scores.items():
            line = np.zeros(size + len(rows))
            line[place[column]] = line[size + r] = 1
            equations.append(line * weights[r] ** 0.5)
            right.append(score * weights[r] ** 0.5)
        penalty = np.zeros(size + len(rows))
        penalty[size + r] = (ridge * weights[r]) ** 0.5
        equations.append(penalty)
        right.append(0.0)
    solution = np.linalg.lstsq(np.array(equations), np.array(right), rcond=None)[0][:size]
    return np.asarray(solution - solution.mean())


@given(panels(most=6))
def test_effects_equal_those_of_a_least_squares_solver(drawn: Drawn) -> None:
    panel, rows = seated(drawn)
    if not rows:
        return
    model = ScoreModel(panel, rows, SETTINGS)
    weights = [1 - 0.9 * r / len(rows) for r in range(len(rows))]
    fit = model.fit(weights, model.leave_one_out(weights))
    ours = [fit.effects[column] for column in model.compared]
    assert ours == pytest.approx(least_squares(model, rows, weights, SETTINGS.ridge), abs=1e-8)


@given(panels(most=6, gaps=False))
def test_leaving_a_reviewer_out_equals_solving_without_it(drawn: Drawn) -> None:
    panel, rows = seated(drawn)
    if len(panel.proposals) < 4:
        return
    model = ScoreModel(panel, rows, SETTINGS)
    without = model.leave_one_out([1.0] * len(rows))
    for left in range(len(rows)):
        weights = [1.0] * len(rows)
        weights[left] = 1e-12
        expected = least_squares(model, rows, weights, SETTINGS.ridge)
        assert list(without[left]) == pytest.approx(expected, abs=1e-6)


@given(panels())
def test_criteria_add_up_to_the_whole(drawn: Drawn) -> None:
    for entry in rank(drawn.ballots, rubric=RUBRIC, authors=drawn.author_of).entries:
        if entry.effect is not None:
            parts = entry.criterion_effects
            assert entry.effect == pytest.approx((3 * parts["fit"] + parts["clarity"]) / 4, abs=1e-8)
            assert tuple(parts) == CRITERIA


def test_with_complete_ballots_the_ridge_changes_no_rank_and_no_proportion() -> None:
    author_of = authorship(4)
    scores = {"a0": (0, 4, 7, 5), "a1": (6, 0, 9, 3), "a2": (5, 6, 0, 1), "a3": (8, 7, 7, 0)}
    ballots = [
        ballot(name, author_of, {p: s for p, s in zip(author_of, row, strict=True) if author_of[p] != name})
        for name, row in scores.items()
    ]
    loose, tight = (rank(ballots, settings=RankingSettings(ridge=ridge)) for ridge in (1e-6, 1e6))
    ratios = [
        a.effect / b.effect for a, b in zip(loose.entries, tight.entries, strict=True) if a.effect and b.effect
    ]
    assert ratios == pytest.approx([ratios[0]] * 4)
    assert [e.proposal for e in loose.entries] == [e.proposal for e in tight.entries]


def test_a_severe_reviewer_is_reported_as_severe() -> None:
    ballots = judged([8, 6, 7], [8, 6, 7], [5, 3, 4])
    whole = rank(ballots, settings=RankingSettings())
    assert [report.offset for report in whole.reviewers if report.scored] == pytest.approx([1, 1, -2])
    lenient, alike, severe = (report.offset or 0 for report in rank(ballots).reviewers if report.scored)
    assert lenient == alike > 0.5
    assert -2 < severe == pytest.approx(-2 * lenient)


def test_a_wide_spread_counts_for_less_but_not_for_as_little_as_a_narrow_one() -> None:
    shy, bold = judged([6, 5, 4], [1, 5, 9])
    ranking = rank([shy, bold])
    assert ranking.winner == "p2"
    even = rank([shy, bold], settings=RankingSettings(spread_shrinkage=0))
    assert entry_of(even, "p2").effect == pytest.approx(0, abs=1e-9)


def test_two_authors_without_a_judge_compare_nothing_and_say_so() -> None:
    author_of = authorship(2)
    ranking = rank([ballot("a0", author_of, {"p1": 9}), ballot("a1", author_of, {"p0": 1})])
    assert [entry.score for entry in ranking.entries] == [None, None]
    assert ranking.tied
    assert ranking.decided_by == "hash"
    assert ranking.p_winner is None


def test_a_proposal_that_nobody_compared_comes_last_and_is_not_called_tied() -> None:
    author_of = authorship(3)
    ballots = [ballot(f"judge{i}", author_of, {"p0": 8, "p2": 3}) for i in range(3)]
    ranking = rank(ballots)
    assert [entry.proposal for entry in ranking.entries] == ["p0", "p2", "p1"]
    last = ranking.entries[-1]
    assert (last.rank, last.score, last.interval, last.tied) == (3, None, (1, 3), False)
    assert not ranking.tied
