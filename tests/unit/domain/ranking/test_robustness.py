"""Reviewers whom the others contradict: weighed down in large panels, flagged in small ones, never silenced."""

from __future__ import annotations

import pytest

from domain.ranking import Ranking, RankingSettings, Reliability, ReviewerReport, rank
from domain.ranking.reliability import Mean, ReviewerHistory
from tests.unit.domain.ranking.panels import authorship, ballot, entry_of, judged

HONEST = [[8, 6, 5, 2], [7, 6, 4, 3], [9, 7, 5, 2], [8, 5, 4, 1]]
MIRRORED = [2, 4, 5, 8]


def report(ranking: Ranking, reviewer: str) -> ReviewerReport:
    return next(report for report in ranking.reviewers if report.reviewer == reviewer)


def test_a_saboteur_among_five_is_weighed_down_to_the_floor() -> None:
    ranking = rank(judged(*HONEST, MIRRORED))
    saboteur = report(ranking, "judge4")
    assert saboteur.weight == 0.1
    assert saboteur.flags == ("dissenting",)
    assert saboteur.agreement == pytest.approx(-1, abs=0.05)
    assert all(report(ranking, f"judge{i}").weight == 1 for i in range(4))


def test_a_saboteur_among_four_is_flagged_and_counts_in_full() -> None:
    saboteur = report(rank(judged(*HONEST[:3], MIRRORED)), "judge3")
    assert (saboteur.weight, saboteur.flags) == (1, ("dissenting",))


def test_weighing_down_brings_the_effects_nearer_to_the_honest_ones() -> None:
    honest, robust, trusting = (
        rank(ballots, settings=rules)
        for ballots, rules in (
            (judged(*HONEST), RankingSettings()),
            (judged(*HONEST, MIRRORED), RankingSettings()),
            (judged(*HONEST, MIRRORED), RankingSettings(robust_from=99)),
        )
    )

    def distance(ranking: Ranking) -> float:
        return sum(abs((entry_of(ranking, e.proposal).effect or 0) - (e.effect or 0)) for e in honest.entries)

    assert distance(robust) < distance(trusting) / 2


def test_a_flat_ballot_is_flagged_and_carries_no_weight() -> None:
    with_flat, without = rank(judged(*HONEST[:3], [5, 5, 5, 5])), rank(judged(*HONEST[:3]))
    flat = report(with_flat, "judge3")
    assert (flat.flags, flat.weight, flat.agreement) == (("flat",), 0, None)
    assert [e.effect for e in with_flat.entries] == pytest.approx([e.effect for e in without.entries])
    assert with_flat.independent_voices == 3


def test_a_flat_ballot_counts_where_no_other_reviewer_compared_its_proposals() -> None:
    author_of = authorship(3)
    ballots = [ballot("judge", author_of, {"p0": 5, "p1": 5}), ballot("a0", author_of, {"p1": 7, "p2": 3})]
    ranking = rank(ballots)
    assert report(ranking, "judge").weight == 1
    assert entry_of(ranking, "p0").score is not None
    assert rank(judged([5, 5], [7, 7])).entries[0].score == 6


def test_silence_and_gaps_are_flagged() -> None:
    author_of = authorship(3)
    ranking = rank([ballot("judge", author_of, {"p0": 5, "p1": 4})])
    assert report(ranking, "judge").flags == ("gaps",)
    assert report(ranking, "a0").flags == ("silent",)
    assert report(ranking, "a0").weight == 0


def test_passes_are_averaged_and_their_difference_is_kept() -> None:
    ranking = rank([*judged([8, 6, 2]), *judged([6, 8, 2])])
    twice = report(ranking, "judge0")
    assert ranking.matrix["judge0"] == {"p0": 7, "p1": 7, "p2": 2}
    assert twice.ballots == 2
    assert twice.swap_difference == pytest.approx(4 / 3)
    assert twice.swap_consistency == pytest.approx(2 / 3)


def test_a_reviewer_whose_passes_contradict_each_other_is_flagged_unstable() -> None:
    ranking = rank([*judged([9, 5, 1]), *judged([1, 5, 9])])
    assert report(ranking, "judge0").swap_consistency == 0
    assert "unstable" in report(ranking, "judge0").flags


def test_one_pass_says_nothing_about_swap_consistency() -> None:
    assert report(rank(judged([9, 5, 1])), "judge0").swap_consistency is None


def test_a_bad_record_counts_only_where_the_settings_say_so() -> None:
    torn = ReviewerHistory(deliberations=40, swap_consistency=Mean(count=40, value=0.5))
    record = Reliability(agents={"judge2": torn})
    ballots = judged([6, 5, 2], [6, 5, 2], [3, 8, 2])
    off = rank(ballots, reliability=record)
    on = rank(ballots, reliability=record, settings=RankingSettings(use_reliability=True))
    assert off == rank(ballots)
    assert report(on, "judge2").weight == pytest.approx(5 / 45)
    assert on.winner == "p0"
    assert off.winner == "p1"


def test_newcomers_are_trusted_and_one_bad_day_costs_little() -> None:
    assert ReviewerHistory().weight == 1
    assert ReviewerHistory(swap_consistency=Mean(count=1, value=0.0)).weight == pytest.approx(5 / 6)
