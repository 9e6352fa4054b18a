"""The ranking on real peer reviews, and the benchmark's own material: deterministic, and read as it is meant."""

from __future__ import annotations

import random

import pytest

from domain.ranking import rank
from tests.bench.ranking.development_set import Question, load
from tests.bench.ranking.rivals import best_of, borda_points, mean_scores
from tests.bench.ranking.simulation import SCENARIOS, hold
from tests.unit.domain.ranking.panels import judged


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return load()


def test_every_pair_was_judged_by_every_model_in_both_orders(questions: list[Question]) -> None:
    assert len(questions) == 40
    assert all(len(question.outcomes) == 5 * 20 for question in questions)
    assert sum(len(question.decisive) for question in questions) == 354


def test_presenting_the_reverse_order_first_changes_no_winner(questions: list[Question]) -> None:
    for question in questions:
        forward = rank(question.ballots([question.models, question.models[::-1]]))
        backward = rank(question.ballots([question.models[::-1], question.models]))
        assert forward.entries == backward.entries


def test_a_reviewer_whose_verdicts_are_inverted_loses_weight(questions: list[Question]) -> None:
    def weight(question: Question) -> float:
        ranking = rank(question.ballots([question.models, question.models[::-1]]))
        return next(report.weight for report in ranking.reviewers if report.reviewer == "gpt4")

    honest = [weight(question) for question in questions]
    inverted = [weight(question.inverted("gpt4")) for question in questions]
    assert sum(inverted) < 0.6 * sum(honest)


def test_a_simulated_council_is_the_same_for_the_same_seed() -> None:
    first, repeated, differently_seeded = (hold(4, 1, SCENARIOS[0], random.Random(seed)) for seed in (1, 1, 2))
    assert first == repeated != differently_seeded


def test_saboteurs_and_colluders_do_what_they_are_said_to_do() -> None:
    honest, mirrored, ring = (hold(4, 0, scenario, random.Random(5)) for scenario in SCENARIOS[:3])
    plain, turned, pact = (council.ballots[0].scores for council in (honest, mirrored, ring))
    assert all(turned[p]["quality"] == 10 - plain[p]["quality"] for p in plain)
    assert pact["p1"] == {"quality": 9}
    assert all(pact[p]["quality"] == max(1, plain[p]["quality"] - 2) for p in ("p2", "p3"))


def test_the_rivals_count_what_they_say() -> None:
    ballots = judged([9, 5, 5], [1, 3, 2])
    assert mean_scores(ballots) == {"p0": 5, "p1": 4, "p2": 3.5}
    assert borda_points(ballots) == {"p0": 1, "p1": 1.25, "p2": 0.75}
    assert best_of({"a": 1, "b": 2, "c": 2}) == ["b", "c"]
