"""A second look: comparisons of tied proposals decide among them, and nothing else moves."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ranking import MOST_COMPARED, Comparison, Ranking, rank
from domain.ranking.comparisons import sums
from tests.unit.domain.ranking.panels import Drawn, entry_of, judged, panels

HASHES = {"p0": "cc", "p1": "bb", "p2": "aa"}
EVEN = judged([5, 5, 2], [6, 6, 3])


def both_ways(first: str, second: str, p: float, *, reviewer: str = "j", voice: str = "") -> list[Comparison]:
    """One reviewer's answers, free of a liking for the one named first."""
    return [
        Comparison(reviewer, voice or reviewer, first, second, p),
        Comparison(reviewer, voice or reviewer, second, first, 1 - p),
    ]


def places(ranking: Ranking) -> list[tuple[str, int]]:
    return [(entry.proposal, entry.rank) for entry in ranking.entries]


def test_comparisons_decide_what_only_a_hash_did() -> None:
    assert places(rank(EVEN, hashes=HASHES)) == [("p1", 1), ("p0", 1), ("p2", 3)]
    ranking = rank(
        EVEN, hashes=HASHES, second_look=("p1", "p0"), comparisons=both_ways("p0", "p1", 0.8, reviewer="j0")
    )
    assert places(ranking) == [("p0", 1), ("p1", 2), ("p2", 3)]
    assert (ranking.winner, ranking.decided_by, ranking.tied) == ("p0", "second look", False)
    assert [entry.second_look for entry in ranking.entries] == [0.8, 0.2, None]
    assert not any(entry.shared or entry.tied for entry in ranking.entries)


def test_a_tie_that_comparisons_leave_even_stays_one() -> None:
    even = both_ways("p0", "p1", 0.9, reviewer="j0") + both_ways("p1", "p0", 0.9, reviewer="j1")
    ranking = rank(EVEN, hashes=HASHES, second_look=("p1", "p0"), comparisons=even)
    assert places(ranking) == places(rank(EVEN, hashes=HASHES))
    assert (ranking.tied, ranking.decided_by) == (True, "hash")
    assert ranking.tied_with_winner == ("p1", "p0")


def test_what_is_given_to_the_proposal_named_first_cancels() -> None:
    """A reviewer that always takes the first says nothing; of one that leans to it, what is left counts."""
    always = [Comparison("j", "j", "a", "b", 1.0), Comparison("j", "j", "b", "a", 1.0)]
    assert sums(always, ("a", "b")) == {"a": 0.5, "b": 0.5}
    leaning = [Comparison("j", "j", "a", "b", 0.9), Comparison("j", "j", "b", "a", 0.5)]
    assert sums(leaning, ("a", "b")) == pytest.approx({"a": 0.7, "b": 0.3})


def test_an_answer_in_one_order_alone_does_not_count() -> None:
    assert sums([Comparison("j", "j", "a", "b", 1.0)], ("a", "b")) == {"a": 0.5, "b": 0.5}


def test_copies_of_one_voice_count_once() -> None:
    copies = [c for n in range(3) for c in both_ways("a", "b", 1.0, reviewer=f"c{n}", voice="v")]
    others = both_ways("a", "b", 0.0, reviewer="x") + both_ways("a", "b", 0.2, reviewer="y")
    assert sums(copies + others, ("a", "b")) == pytest.approx({"a": 0.4, "b": 0.6})


def test_what_reviewers_say_of_two_side_by_side_outweighs_their_scores() -> None:
    """With three authors one reviewer scores both of a pair, so that no scores of two could disagree."""
    ballots = judged([7, 5], [6, 5])
    turned = both_ways("p1", "p0", 0.6)
    ranking = rank(ballots, hashes=HASHES, second_look=("p0", "p1"), comparisons=turned)
    assert (ranking.winner, ranking.decided_by) == ("p1", "second look")
    assert [entry.rank for entry in ranking.entries] == [1, 2]
    assert not ranking.tied


def test_two_with_equal_points_stay_as_their_scores_put_them() -> None:
    ballots = judged([7, 6, 5], [7, 6, 5])
    told = both_ways("p0", "p2", 0.2) + both_ways("p1", "p2", 0.2)
    ranking = rank(ballots, hashes=HASHES, second_look=("p0", "p1", "p2"), comparisons=told)
    assert places(ranking) == [("p2", 1), ("p0", 2), ("p1", 3)]
    told = both_ways("p0", "p2", 0.8) + both_ways("p1", "p2", 0.8)
    ranking = rank(ballots, hashes=HASHES, second_look=("p0", "p1", "p2"), comparisons=told)
    assert (places(ranking)[0], ranking.decided_by) == (("p0", 1), "score")


@given(panels())
def test_without_answers_nothing_changes_but_that_a_look_was_taken(drawn: Drawn) -> None:
    before = rank(drawn.ballots, hashes=drawn.hashes)
    tied = before.tied_with_winner[:MOST_COMPARED]
    after = rank(drawn.ballots, hashes=drawn.hashes, second_look=tied)
    unseen = [entry.model_copy(update={"second_look": None}) for entry in after.entries]
    assert after.model_copy(update={"entries": tuple(unseen)}) == before


@given(panels(), st.data())
def test_only_those_compared_change_places(drawn: Drawn, data: st.DataObject) -> None:
    before = rank(drawn.ballots, hashes=drawn.hashes)
    group = [entry.proposal for entry in before.entries[:MOST_COMPARED]]
    answers = [
        Comparison("j", "j", first, second, data.draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])))
        for first, second in permutations(group, 2)
    ]
    after = rank(drawn.ballots, hashes=drawn.hashes, second_look=group, comparisons=answers)
    order = [entry.proposal for entry in after.entries]
    assert sorted(order[: len(group)]) == sorted(group)
    assert order[len(group) :] == [entry.proposal for entry in before.entries[len(group) :]]
    for entry in after.entries:
        earlier = entry_of(before, entry.proposal)
        assert (entry.score, entry.effect, entry.p_best) == (earlier.score, earlier.effect, earlier.p_best)
        assert 1 <= entry.interval[0] <= entry.rank <= entry.interval[1] <= len(order)
