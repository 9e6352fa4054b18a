"""Copies of one opinion count once: in weights, in the bootstrap, in W and alpha, and in what is claimed."""

from __future__ import annotations

import pytest
from hypothesis import given

from domain.ranking import Ballot, RankingSettings, rank
from tests.unit.domain.ranking.panels import Drawn, authorship, ballot, judged, panels

A, B, C = [8, 6, 5, 2], [5, 7, 3, 2], [9, 4, 6, 1]


def spoken(*rows: tuple[str, list[int]]) -> list[Ballot]:
    """A judge per row, with its voice."""
    ballots = judged(*(row for _, row in rows))
    return [b.model_copy(update={"voice": voice}) for b, (voice, _) in zip(ballots, rows, strict=True)]


def test_one_ballot_handed_in_by_five_reviewers_of_one_voice_claims_no_confidence() -> None:
    ranking = rank(spoken(*[("tiny", A)] * 5))
    assert ranking.winner == "p0"
    assert ranking.independent_voices == 1
    assert (ranking.p_winner, ranking.stability) == (None, None)
    assert (ranking.agreement.kendall_w, ranking.agreement.krippendorff_alpha) == (None, None)
    assert ranking.agreement.mean_correlation is None
    assert {entry.p_best for entry in ranking.entries} == {None}
    assert {report.voice for report in ranking.reviewers if report.scored} == {"tiny"}


def test_five_authors_of_one_voice_claim_none_either() -> None:
    author_of = authorship(5)
    ballots = [
        ballot(a, author_of, {p: 9 - int(p[1]) for p in author_of if author_of[p] != a})
        for a in author_of.values()
    ]
    ranking = rank([b.model_copy(update={"voice": "tiny"}) for b in ballots])
    assert (ranking.winner, ranking.independent_voices, ranking.p_winner) == ("p0", 1, None)
    assert rank(ballots).independent_voices == 5


def test_what_ballots_of_one_voice_cannot_tell_apart_is_tied() -> None:
    near = rank(spoken(("tiny", [7, 6, 2]), ("tiny", [6, 7, 2]), ("tiny", [7, 6, 1])))
    assert near.tied_with_winner == ("p0", "p1")
    assert not rank(spoken(*[("tiny", A)] * 3)).tied
    assert rank(spoken(("tiny", A))).tied


def test_copies_of_a_ballot_move_nothing_and_prove_nothing() -> None:
    once = rank(spoken(("a", A), ("b", B), ("c", C)))
    copied = rank(spoken(("a", A), ("b", B), ("c", C), *[("a", A)] * 6))
    assert once.independent_voices == copied.independent_voices == 3
    assert [e.effect for e in copied.entries] == pytest.approx([e.effect for e in once.entries])
    assert [e.interval for e in copied.entries] == [e.interval for e in once.entries]
    assert (copied.stability, copied.p_winner) == pytest.approx((once.stability, once.p_winner))
    assert copied.agreement.kendall_w == pytest.approx(once.agreement.kendall_w)
    assert copied.agreement.krippendorff_alpha == pytest.approx(once.agreement.krippendorff_alpha)
    assert copied.agreement.mean_correlation == pytest.approx(once.agreement.mean_correlation)


def test_a_reviewer_is_left_out_together_with_its_voice() -> None:
    ranking = rank(spoken(("a", [9, 1]), ("a", [9, 1]), ("b", [4, 5]), ("c", [4, 5])))
    without = {report.voice: report.winner_without for report in ranking.reviewers if report.scored}
    assert without["a"] == "p1"
    assert {report.weight for report in ranking.reviewers if report.voice == "a"} == {0.5}


@given(panels(most=5))
def test_a_voice_of_its_own_is_as_good_as_none_named(drawn: Drawn) -> None:
    named = [b.model_copy(update={"voice": b.reviewer}) for b in drawn.ballots]
    assert rank(named, hashes=drawn.hashes) == rank(drawn.ballots, hashes=drawn.hashes)


def test_a_reviewer_whose_ballots_name_two_voices_speaks_with_one() -> None:
    first, second = judged(A, B), judged(A, B)
    mixed = [b.model_copy(update={"voice": voice}) for b, voice in zip(first, ("x", "y"), strict=True)]
    reports = rank([*mixed, *second]).reviewers
    assert [report.voice for report in reports if report.scored] == ["x", "y"]


def test_a_stored_decision_of_version_1_counts_reviewers_and_says_no_voices() -> None:
    ranking = rank(spoken(*[("tiny", A)] * 3), settings=RankingSettings())
    assert (ranking.independent_voices, ranking.stability, ranking.p_winner) == (None, None, 1)
