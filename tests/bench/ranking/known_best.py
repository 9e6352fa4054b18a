"""Decisions whose best proposal is known: what the calibration is fitted on, and held against."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from domain.ranking import Ballot, Ranking, rank
from domain.ranking.calibration import logit
from tests.bench.ranking import development_set, hanna
from tests.bench.ranking.development_set import Question
from tests.bench.ranking.simulation import SCENARIOS, hold


@dataclass(frozen=True)
class Decision:
    """One ranking, and how far it was right: 1, or a share where several are best."""

    source: str
    group: int
    """The prompt or question: what a fold of the cross-validation leaves out together."""
    stability: float
    said: float
    voices: int
    proposals: int
    right: float

    @property
    def features(self) -> tuple[float, float, float]:
        """What the regression of domain/ranking/confidence.py reads."""
        evidence = (1 - 1 / self.voices) * logit(min(0.98, max(0.02, self.stability)))
        return 1.0, evidence, log(self.proposals - 1)


def decision_of(source: str, group: int, ranking: Ranking, best: Sequence[str]) -> Decision | None:
    """Return the decision, or None where no confidence was claimed."""
    if ranking.p_winner is None or ranking.stability is None:
        return None
    return Decision(
        source,
        group,
        ranking.stability,
        ranking.p_winner,
        ranking.independent_voices or 0,
        sum(entry.score is not None for entry in ranking.entries),
        (ranking.winner in best) / len(best),
    )


def from_hanna(path: Path) -> Iterator[Decision]:
    """Councils of two to five models on three to ten stories; in half of them the judges leave one story out."""
    rng = random.Random("hanna")
    for prompt in hanna.load(path):
        for size, models in ((s, m) for s in (3, 4, 5, 6, 8, 10) for m in (2, 3, 4, 5)):
            stories = rng.sample(sorted(prompt.people), size)
            judges = hanna.council(rng, models)
            ballots = prompt.ballots(stories, judges, own=rng.random() < 0.5, by_model=True)
            found = decision_of("HANNA", prompt.number, rank(ballots), prompt.best(stories))
            if found:
                yield found


def twenty_judges(path: Path, *, by_model: bool) -> list[Decision]:
    """All ten stories of each prompt, by five models with four prompts each."""
    judges = [(model, prompt) for model in hanna.MODELS for prompt in hanna.PROMPTS]
    rankings = [
        (p, rank(p.ballots(sorted(p.people), judges, own=False, by_model=by_model))) for p in hanna.load(path)
    ]
    found = [decision_of("HANNA, 20", p.number, r, p.best(sorted(p.people))) for p, r in rankings]
    return [decision for decision in found if decision]


def from_development_set() -> Iterator[Decision]:
    """Councils of three to five models, each reviewing the others in both orders; people's best is the truth."""
    rng = random.Random("development set")
    for question in development_set.load():
        for size in (3, 3, 3, 4, 4, 4, 5):
            chosen = sorted(rng.sample(question.models, size))
            ranking = rank(_ballots(question, chosen))
            found = decision_of("PRD", question.number, ranking, _best(question, chosen))
            if found:
                yield found


def _ballots(question: Question, chosen: Sequence[str]) -> list[Ballot]:
    author_of = {model: model for model in chosen}
    return [
        Ballot(reviewer, author_of=author_of, scores={m: {"outcome": s} for m, s in given.items()})
        for reviewer in chosen
        for order in (chosen, chosen[::-1])
        for given in [question.scores(reviewer, order, own=False)]
    ]


def _best(question: Question, chosen: Sequence[str]) -> list[str]:
    """Those that people prefer to the others most often."""
    points = dict.fromkeys(chosen, 0.0)
    for (a, b), votes in question.people.items():
        if a in points and b in points:
            margin = (votes[a] - votes[b]) / votes.total()
            points[a] += margin
            points[b] -= margin
    most = max(points.values())
    return [model for model in chosen if most - points[model] < 1e-9]


def from_simulation(councils: int = 150) -> Iterator[Decision]:
    """Honest simulated councils of three to eight authors, some with judges."""
    for agents, judges in ((3, 0), (3, 2), (4, 0), (5, 0), (5, 2), (8, 0)):
        rng = random.Random(f"calibration {agents} {judges}")
        for number in range(councils):
            council = hold(agents, judges, SCENARIOS[0], rng)
            ranking = rank(council.ballots, hashes=council.hashes)
            found = decision_of("simulation", number, ranking, [council.best])
            if found:
                yield found


def fitted(decisions: Sequence[Decision]) -> list[float]:
    """The logistic regression's coefficients, every source weighing the same."""
    sources = [decision.source for decision in decisions]
    weights = np.array([1 / sources.count(source) for source in sources])
    features = np.array([decision.features for decision in decisions])
    right = np.array([decision.right for decision in decisions])

    def loss(coefficients: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        odds = features @ coefficients
        return float(weights @ (np.logaddexp(0, odds) - right * odds)) + 1e-4 * float(coefficients @ coefficients)

    return [float(c) for c in minimize(loss, np.zeros(3), tol=1e-10).x]
