"""What a second look at a tie buys and costs, on simulated councils through the real ranking.

As in `simulation`, but with one pass of ballots. A comparison sees the difference of two qualities with a fresh
error of 0.5 and with 0.7 for the one named first; read as a probability it is the logistic function of twice that.
Of a reviewer's error about a proposal a comparison shares all, half of the variance, or nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, permutations
from math import exp, fsum, sqrt

from domain.ranking import MOST_COMPARED, Ballot, Comparison, RankingSettings, rank
from domain.steps.second_look import tied_at_the_top

SIZES = (3, 5, 8)
SHARED = {"all": 1.0, "half": 0.5, "nothing": 0.0}
"""What comparisons share of the ballots' errors, as a share of their variance."""
LIKING = 0.7
SETTINGS = RankingSettings.current()


@dataclass(frozen=True)
class Reading:
    """How ballots and comparisons are read."""

    name: str
    whole_scores: bool
    probabilities: bool


READINGS = (
    Reading("as written", whole_scores=True, probabilities=False),
    Reading("as probabilities", whole_scores=False, probabilities=True),
)


@dataclass(frozen=True)
class Council:
    """Who wrote what, how good it is, the ballots, and what each reviewer sees when it compares."""

    author_of: Mapping[str, str]
    best: str
    ballots: list[Ballot]
    seen: Mapping[str, Mapping[str, float]]
    """reviewer → proposal → its quality in a comparison."""


@dataclass(frozen=True)
class Outcome:
    """One council with and without a second look."""

    before: bool
    after: bool
    tied: bool
    calls: int


def lines(trials: int = 1000) -> Iterator[str]:
    """The table, line by line."""
    yield f"Second look: P(winner = best), {trials} councils a row, a voice each, {MOST_COMPARED} compared at most"
    yield f"  {'':48}{'tied':>6}{'calls':>7}{'without':>9}{'with':>7}   gain"
    for agents in SIZES:
        for shared in SHARED:
            for reading in READINGS:
                yield _row(agents, shared, reading, trials)


def _row(agents: int, shared: str, reading: Reading, trials: int) -> str:
    rng = random.Random(f"{agents} {shared} {reading.name}")
    outcomes = [_outcome(hold(agents, SHARED[shared], reading, rng), reading, rng) for _ in range(trials)]
    gains = [float(outcome.after) - float(outcome.before) for outcome in outcomes]
    gain = _mean(gains)
    error = sqrt(_mean([(value - gain) ** 2 for value in gains]) / trials)
    name = f"{agents} agents, {shared} of the error shared, {reading.name}"
    shares = (_mean([float(value) for value in column]) for column in zip(*map(_columns, outcomes), strict=True))
    tied, calls, before, after = shares
    return f"  {name:48}{tied:6.2f}{calls:7.1f}{before:9.3f}{after:7.3f}   {gain:+.3f} ± {error:.3f}"


def _columns(outcome: Outcome) -> tuple[float, float, float, float]:
    return outcome.tied, outcome.calls, outcome.before, outcome.after


def hold(agents: int, shared: float, reading: Reading, rng: random.Random) -> Council:
    """Simulate one council; the same generator state gives the same council."""
    author_of = {f"p{n}": f"a{n}" for n in range(agents)}
    quality = {proposal: rng.gauss(0, 1.3) for proposal in author_of}
    ballots, seen = [], {}
    for name in author_of.values():
        severity, spread = rng.gauss(0, 1), exp(rng.gauss(0, 0.3))
        errors = {proposal: rng.gauss(0, 1) for proposal in author_of}
        others = {proposal: rng.gauss(0, 1) for proposal in author_of}
        raw = {p: 5 + severity + spread * (quality[p] + errors[p]) + rng.gauss(0, 0.5) for p in author_of}
        bounded = {p: min(9.0, max(1.0, value)) for p, value in raw.items() if author_of[p] != name}
        scores = {p: {"quality": float(round(s) if reading.whole_scores else s)} for p, s in bounded.items()}
        ballots.append(Ballot(name, author_of=author_of, scores=scores))
        mixed = {p: sqrt(shared) * errors[p] + sqrt(1 - shared) * others[p] for p in author_of}
        seen[name] = {p: spread * (quality[p] + mixed[p]) for p in author_of}
    return Council(author_of, max(quality, key=quality.__getitem__), ballots, seen)


def _outcome(council: Council, reading: Reading, rng: random.Random) -> Outcome:
    hashes = {proposal: proposal for proposal in council.author_of}
    before = rank(council.ballots, settings=SETTINGS, hashes=hashes)
    tied = tied_at_the_top(before)
    if len(tied) < 2:
        return Outcome(before.winner == council.best, before.winner == council.best, tied=False, calls=0)
    comparisons = list(_comparisons(council, tied, reading, rng))
    after = rank(council.ballots, settings=SETTINGS, hashes=hashes, second_look=tied, comparisons=comparisons)
    return Outcome(before.winner == council.best, after.winner == council.best, True, len(comparisons))


def _comparisons(
    council: Council, tied: tuple[str, ...], reading: Reading, rng: random.Random
) -> Iterator[Comparison]:
    for pair in combinations(tied, 2):
        writers = {council.author_of[proposal] for proposal in pair}
        for name, seen in council.seen.items():
            for first, second in permutations(pair) if name not in writers else ():
                lead = seen[first] - seen[second] + LIKING + rng.gauss(0, 0.5)
                p_first = 1 / (1 + exp(-2 * lead)) if reading.probabilities else float(lead > 0)
                yield Comparison(name, name, first, second, p_first)


def _mean(values: list[float]) -> float:
    return fsum(values) / len(values)
