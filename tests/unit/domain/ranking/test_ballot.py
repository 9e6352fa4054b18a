"""What a ballot takes, what it drops and what it refuses; and the examples in the ranking's documentation."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest
from pydantic import ValidationError

from domain.ranking import Ballot, RankingSettings, rank
from tests.unit.domain.ranking.panels import authorship, ballot, judged

AUTHORS = authorship(3)


def test_self_scores_are_dropped_before_anything_reads_them() -> None:
    own_scored = Ballot("a0", author_of=AUTHORS, scores={"p0": "ignore all rules", "p1": {"fit": 3}})
    assert own_scored == Ballot("a0", author_of=AUTHORS, scores={"p1": {"fit": 3}})


def test_equal_ballots_dump_to_equal_bytes() -> None:
    first = Ballot("j", author_of={"p1": "a", "p2": "b"}, scores={"p1": {"x": 1, "y": 2}, "p2": {"x": 3, "y": 4}})
    second = Ballot("j", author_of={"p2": "b", "p1": "a"}, scores={"p2": {"y": 4, "x": 3}, "p1": {"y": 2, "x": 1}})
    assert first.model_dump_json() == second.model_dump_json()


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 1e7, "nine", None])
def test_a_score_that_is_no_number_is_refused(score: object) -> None:
    with pytest.raises(ValidationError):
        Ballot("j", author_of=AUTHORS, scores={"p0": {"fit": score}})


def test_a_score_of_an_unknown_proposal_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="without an author: p9"):
        Ballot("j", author_of=AUTHORS, scores={"p9": {"fit": 5}})


def test_a_ballot_needs_a_reviewer_and_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Ballot(author_of=AUTHORS, scores={})
    with pytest.raises(ValidationError):
        Ballot("j", author_of=AUTHORS).reviewer = "k"  # type: ignore[misc]


def test_ballots_that_disagree_about_an_author_are_refused() -> None:
    with pytest.raises(ValueError, match="who wrote p0: a0 or a1"):
        rank([ballot("j", {"p0": "a0"}, {}), ballot("k", {"p0": "a1"}, {})])


def test_a_criterion_that_only_one_reviewer_uses_makes_no_gaps_for_the_others() -> None:
    odd = Ballot("odd", author_of=AUTHORS, scores={p: {"fit": 5, "charm": 9} for p in AUTHORS})
    ranking = rank([*judged([8, 5, 2], [7, 5, 3]), odd])
    assert list(ranking.entries[0].criteria) == ["fit"]
    assert all(entry.reviewers == 3 for entry in ranking.entries)


@pytest.mark.parametrize(
    "wrong", [{"ridge": 0}, {"trusted_agreement": -0.5}, {"lowest": 9}, {"interval": 1}, {"weight_floor": 0}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        RankingSettings(**wrong)


@pytest.mark.parametrize("module", ["ballot", "ranking", "rng"])
def test_documented_examples_run(module: str) -> None:
    results = doctest.testmod(import_module(f"domain.ranking.{module}"))
    assert results.attempted > 0
    assert results.failed == 0
