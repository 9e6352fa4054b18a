"""What decides between equal scores, what the gate does to a score, and when a result is contested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ranking import Ballot, Ranking, RankingSettings, rank
from domain.rubric import Criterion, Rubric
from tests.unit.domain.ranking.panels import Drawn, authorship, ballot, entry_of, judged, panels, reviewed

HASHES = {"p0": "cc", "p1": "bb", "p2": "aa"}
RUBRIC = Rubric(criteria=(Criterion(name="fit"), Criterion(name="clarity")))


def places(ranking: Ranking) -> list[tuple[str, int]]:
    return [(entry.proposal, entry.rank) for entry in ranking.entries]


def even_sums_with_a_majority() -> list[Ballot]:
    """p0 and p1 get the same effect, as one reviewer's margin outweighs two; spreads are the same throughout."""
    return judged([5, 4, 6, 2], [6, 5, 2, 4], [4, 6, 2, 5])


def test_a_majority_breaks_equal_scores_before_checks() -> None:
    ranking = rank(even_sums_with_a_majority(), checks={"p1": 1})
    assert entry_of(ranking, "p0").score == pytest.approx(entry_of(ranking, "p1").score)
    assert places(ranking)[:2] == [("p0", 1), ("p1", 2)]
    assert ranking.decided_by == "pairwise majority"


def test_checks_break_what_the_majority_leaves_equal() -> None:
    ranking = rank(judged([5, 5], [7, 7]), checks={"p1": 0.9, "p0": 0.8}, hashes=HASHES)
    assert (ranking.winner, ranking.decided_by) == ("p1", "checks")
    assert places(ranking) == [("p1", 1), ("p0", 2)]


def test_the_criterion_declared_first_breaks_what_checks_leave_equal() -> None:
    author_of = authorship(2)
    scores = {"p0": {"fit": 4, "clarity": 6}, "p1": {"fit": 6, "clarity": 4}}
    ballots = [Ballot(f"judge{i}", author_of=author_of, scores=scores) for i in range(2)]
    assert rank(ballots, rubric=RUBRIC, hashes=HASHES).winner == "p1"
    turned = Rubric(criteria=tuple(reversed(RUBRIC.criteria)))
    ranking = rank(ballots, rubric=turned, hashes=HASHES)
    assert (ranking.winner, ranking.decided_by) == ("p0", "criteria")


def test_what_nothing_separates_shares_a_rank_and_the_lowest_hash_is_named() -> None:
    ranking = rank(judged([5, 5, 5], [6, 6, 6]), hashes=HASHES)
    assert places(ranking) == [("p2", 1), ("p1", 1), ("p0", 1)]
    assert (ranking.winner, ranking.decided_by) == ("p2", "hash")
    assert all(entry.shared and entry.tied for entry in ranking.entries)


def test_ranks_go_on_after_a_shared_one() -> None:
    ranking = rank(judged([5, 5, 2], [6, 6, 3]), hashes=HASHES)
    assert places(ranking) == [("p1", 1), ("p0", 1), ("p2", 3)]
    assert [entry.shared for entry in ranking.entries] == [True, True, False]


def test_the_winner_head_to_head_that_is_not_first_by_score_makes_it_contested() -> None:
    ranking = rank(judged([6, 5, 2], [6, 5, 2], [3, 8, 2]))
    assert (ranking.condorcet, ranking.winner, ranking.contested) == ("p0", "p1", True)


@given(panels())
def test_contested_means_that_the_condorcet_winner_has_not_the_highest_effect(drawn: Drawn) -> None:
    ranking = rank(drawn.ballots)
    effects = {entry.proposal: entry.effect for entry in ranking.entries}
    best = max((effect for effect in effects.values() if effect is not None), default=0.0)
    champion = ranking.condorcet
    expected = champion is not None and best - (effects[champion] or 0.0) > 1e-9
    assert ranking.contested == expected


def test_a_removed_proposal_leaves_no_trace_in_the_others_numbers() -> None:
    author_of = authorship(4)
    ballots = reviewed([9, 5, 3, 7])
    without = [
        Ballot(
            b.reviewer,
            author_of={p: a for p, a in author_of.items() if p != "p0"},
            scores={p: s for p, s in b.scores.items() if p != "p0"},
        )
        for b in ballots
    ]
    removed, never = rank(ballots, excluded=["p0"]), rank(without, reviewers=["a0"])
    assert removed.excluded == ("p0",)
    assert removed.entries == never.entries
    assert removed.winner == "p3"


def test_the_author_of_a_removed_proposal_still_reviews() -> None:
    ranking = rank(reviewed([9, 5, 3, 7]), excluded=["p0"])
    assert set(ranking.matrix["a0"]) == {"p1", "p2", "p3"}


def test_a_cap_bounds_the_score_and_shows_itself() -> None:
    ranking = rank(reviewed([9, 7, 3]), caps={"p0": 4.0})
    capped = entry_of(ranking, "p0")
    assert (capped.score, capped.capped_at, capped.rank) == (4.0, 4.0, 2)
    assert ranking.winner == "p1"
    assert ranking.stability == 1
    assert not ranking.contested


def test_a_cap_above_the_score_changes_nothing_but_is_told() -> None:
    ranking = rank(reviewed([9, 7, 3]), caps={"p2": 8.0})
    assert entry_of(ranking, "p2").capped_at == 8
    assert [e.score for e in ranking.entries] == [e.score for e in rank(reviewed([9, 7, 3])).entries]


def test_a_single_proposal_wins_without_a_contest() -> None:
    ranking = rank([], authors={"p0": "a0"})
    assert (ranking.winner, ranking.decided_by, ranking.tied) == ("p0", "no contest", False)
    assert ranking.entries[0].rank == 1


def test_without_proposals_there_is_no_winner() -> None:
    ranking = rank([])
    assert (ranking.winner, ranking.p_winner, ranking.entries) == (None, None, ())
    assert rank([], authors={"p0": "a0"}, excluded=["p0"]).winner is None


@given(st.permutations(["p0", "p1", "p2"]))
def test_without_any_ballot_checks_decide_then_the_hash(by_checks: list[str]) -> None:
    authors = authorship(3)
    checks = {proposal: 1.0 - place / 10 for place, proposal in enumerate(by_checks)}
    assert [e.proposal for e in rank([], authors=authors, checks=checks).entries] == by_checks
    assert rank([], authors=authors, hashes=HASHES).winner == "p2"


def test_unanimity_outranks_indirect_evidence() -> None:
    """The only reviewer of both puts p0 just above p1, but p1 beats p2 by far more than p0 does."""
    author_of = authorship(3)
    ballots = [
        ballot("a2", author_of, {"p0": 6, "p1": 5}),
        ballot("a0", author_of, {"p1": 9, "p2": 1}),
        ballot("a1", author_of, {"p0": 2, "p2": 1}),
    ]
    ranking = rank(ballots, settings=RankingSettings(spread_shrinkage=1))
    assert entry_of(ranking, "p1").effect > entry_of(ranking, "p0").effect  # type: ignore[operator]
    assert entry_of(ranking, "p0").rank < entry_of(ranking, "p1").rank
    assert entry_of(ranking, "p0").score == entry_of(ranking, "p1").score
