"""What a place adds, whatever stands there: estimated from balanced orders, taken out, reported."""

from __future__ import annotations

import random

import numpy as np
import pytest

from domain.ranking import Ballot, Ranking, RankingSettings, rank
from domain.ranking.panel import Row, panel_of
from domain.ranking.places import place_effect
from tests.unit.domain.ranking.panels import authorship, entry_of

QUALITY = {"p0": 6.0, "p1": 5.0, "p2": 4.5, "p3": 3.0, "p4": 2.0}
SHAPES: dict[str, list[float]] = {"front": [2, 1, 0, -1, -2], "U": [2, -1, -2, -1, 2], "middle": [-2, 0, 2, 0, -2]}
WEAK = RankingSettings.current(place_ridge=1e-6, bound=None)


def rotations(shape: list[float], passes: int = 1) -> list[Ballot]:
    """Every author reads a rotation of the five, its own first, and scores quality plus place."""
    author_of, names = authorship(5), sorted(QUALITY)
    ballots = []
    for pass_ in range(passes):
        for i, name in enumerate(names):
            order = tuple(names[i:] + names[:i]) if not pass_ else tuple(reversed(names[i:] + names[:i]))
            scores = {p: {"fit": QUALITY[p] + shape[k]} for k, p in enumerate(order) if p != name}
            ballots.append(Ballot(author_of[name], author_of=author_of, presentation=order, scores=scores))
    return ballots


def rows_of(ballots: list[Ballot]) -> tuple[Row, ...]:
    return panel_of(ballots, rubric=None, excluded=(), authors={}, reviewers=()).rows


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bias_of_any_shape_is_found_and_taken_out(shape: str) -> None:
    biased, plain = (rank(rotations(s, passes=2), settings=WEAK) for s in (SHAPES[shape], [0.0] * 5))
    found = np.array(biased.place_effect["5"])
    assert found == pytest.approx(np.array(SHAPES[shape]) - np.mean(SHAPES[shape]), abs=1e-3)
    assert [e.effect for e in biased.entries] == pytest.approx([e.effect for e in plain.entries], abs=1e-3)
    assert plain.place_effect["5"] == pytest.approx([0] * 5, abs=1e-6)


def test_the_shipped_ridge_leaves_little_of_it() -> None:
    effect = rank(rotations(SHAPES["U"], passes=2)).place_effect["5"]
    assert effect[0] - effect[2] > 3


def test_it_equals_ridge_regression_by_numpy() -> None:
    rng = random.Random(3)
    author_of = authorship(4)
    ballots = []
    for name in [*author_of.values(), "judge"]:
        for _ in range(2):
            order = tuple(rng.sample(sorted(author_of), 4))
            scores = {p: {"fit": rng.randint(1, 9)} for p in order if author_of[p] != name and rng.random() < 0.9}
            ballots.append(Ballot(name, author_of=author_of, presentation=order, scores=scores))
    equations, right = [], []
    seen = [b for b in ballots if len(b.scores) > 1]
    for r, b in enumerate(seen):
        for p, parts in b.scores.items():
            line = np.zeros(4 + 4 + len(seen))
            line[int(p[1])] = line[4 + b.presentation.index(p)] = line[8 + r] = 1
            equations.append(line)
            right.append(parts["fit"])
    for place in range(4):
        line = np.zeros(4 + 4 + len(seen))
        line[4 + place] = np.sqrt(0.7)
        equations.append(line)
        right.append(0.0)
    solved = np.linalg.lstsq(np.array(equations), np.array(right), rcond=None)[0][4:8]
    assert place_effect(rows_of(ballots), 0.7)[4] == pytest.approx(solved - solved.mean(), abs=1e-8)


def without_presentation(ballots: list[Ballot]) -> list[Ballot]:
    return [b.model_copy(update={"presentation": ()}) for b in ballots]


def test_without_places_told_none_is_estimated() -> None:
    ranking = rank(without_presentation(rotations(SHAPES["front"])))
    assert ranking.place_effect == {}


def test_one_order_shared_by_all_is_put_down_to_the_proposals() -> None:
    author_of = authorship(3)
    ballots = [
        Ballot(
            f"judge{i}",
            author_of=author_of,
            presentation=tuple(author_of),
            scores={"p0": {"f": 8}, "p1": {"f": 5}},
        )
        for i in range(3)
    ]
    assert rank(ballots).place_effect["3"] == pytest.approx([0, 0, 0], abs=1e-9)


def test_what_was_given_stays_told_as_given() -> None:
    """Criteria and matrix hold scores as given; effects per criterion add up although places are out of them."""
    ranking: Ranking = rank(rotations(SHAPES["front"], passes=2))
    given = [b.scores["p0"]["fit"] for b in rotations(SHAPES["front"], passes=2) if "p0" in b.scores]
    entry = entry_of(ranking, "p0")
    assert entry.criteria["fit"] == pytest.approx(sum(given) / len(given))
    assert entry.criterion_effects["fit"] == pytest.approx(entry.effect)
