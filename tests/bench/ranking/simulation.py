"""Simulated councils whose best proposal is known: how often does each way of counting find it?

Assumptions, in score points on the scale 1 to 9: true quality N(0, 1.3); a reviewer's severity N(0, 1) and spread
exp(N(0, 0.3)); its error about a proposal N(0, 1), the same in both passes; fresh noise N(0, 0.5) in every pass;
rounded to whole scores. Every agent is author and reviewer; two passes show one order and its reverse to all. A
saboteur hands in mirrored scores. Two colluders give each other 9 and all others two points less. A shared
position bias gives the first place 2 points and the second 1, in every reviewer's eyes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from domain.ranking import Ballot

Scores = dict[str, float]
Order = tuple[str, ...]


@dataclass(frozen=True)
class Council:
    """One simulated deliberation: who wrote what, what is best, and the ballots."""

    author_of: dict[str, str]
    best: str
    ballots: list[Ballot]
    hashes: dict[str, str]


@dataclass(frozen=True)
class Scenario:
    """What goes wrong in a council."""

    name: str
    saboteurs: int = 0
    colluders: int = 0
    position_bias: tuple[float, ...] = ()


SCENARIOS = (
    Scenario("honest"),
    Scenario("one saboteur", saboteurs=1),
    Scenario("two colluders", colluders=2),
    Scenario("shared position bias", position_bias=(2.0, 1.0)),
)


def hold(
    agents: int, judges: int, scenario: Scenario, rng: random.Random, orders: int = 2, *, own: bool = False
) -> Council:
    """Simulate one council; the same generator state gives the same council.

    `orders`: 1 shows one order, 2 adds its reverse, more add further shuffled orders, each with its reverse. They
    are the same for all reviewers unless each gets `own` ones.
    """
    author_of = {f"p{i}": f"agent{i}" for i in range(agents)}
    quality = {proposal: rng.gauss(0, 1.3) for proposal in author_of}
    shown = _presentations(list(author_of), orders, rng)
    reviewers = [*author_of.values(), *(f"judge{i}" for i in range(judges))]
    ballots: list[Ballot] = []
    for name in reviewers:
        shown = _presentations(list(author_of), orders, rng) if own else shown
        passes = _honest(name, author_of, quality, shown, scenario, rng)
        ballots += [
            Ballot(
                name,
                author_of=author_of,
                presentation=order,
                scores={p: {"quality": score} for p, score in _distort(name, scores, author_of, scenario).items()},
            )
            for order, scores in zip(shown, passes, strict=True)
        ]
    hashes = {proposal: f"{rng.getrandbits(64):016x}" for proposal in author_of}
    return Council(author_of, max(quality, key=quality.__getitem__), ballots, hashes)


def _presentations(proposals: list[str], orders: int, rng: random.Random) -> list[Order]:
    shown: list[Order] = []
    while len(shown) < orders:
        rng.shuffle(proposals)
        shown += [tuple(proposals), tuple(reversed(proposals))]
    return shown[:orders]


def _honest(
    name: str,
    author_of: dict[str, str],
    quality: Scores,
    shown: Sequence[Order],
    scenario: Scenario,
    rng: random.Random,
) -> list[Scores]:
    """What this reviewer would write down in each pass, own proposal left out."""
    severity, spread = rng.gauss(0, 1), exp(rng.gauss(0, 0.3))
    seen = {p: quality[p] + rng.gauss(0, 1) for p in sorted(author_of) if author_of[p] != name}
    passes: list[Scores] = []
    for order in shown:
        bias = dict(zip(order, scenario.position_bias, strict=False))
        raw = {p: severity + spread * value + bias.get(p, 0) + rng.gauss(0, 0.5) for p, value in seen.items()}
        passes.append({p: float(min(9, max(1, round(5 + value)))) for p, value in raw.items()})
    return passes


def _distort(name: str, scores: Scores, author_of: dict[str, str], scenario: Scenario) -> Scores:
    names = sorted(author_of.values())
    if name in names[: scenario.saboteurs]:
        return {proposal: 10 - score for proposal, score in scores.items()}
    ring = names[: scenario.colluders]
    if name in ring:
        return {p: 9.0 if author_of[p] in ring else max(1.0, score - 2) for p, score in scores.items()}
    return scores
