"""Point 4: how often each way of counting finds the best proposal of a simulated council."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from math import fsum, sqrt

from domain.ranking import Ranking, RankingSettings, decided_early, rank
from tests.bench.ranking.rivals import best_of, borda_points, mean_scores
from tests.bench.ranking.simulation import SCENARIOS, Council, Scenario, hold

TRIALS = 1000
SIZES = ((3, 0), (3, 2), (5, 0), (7, 0))
QUICK = RankingSettings.current(exact_up_to=0, resamples=1)
BEFORE = RankingSettings(exact_up_to=0, resamples=1)
HONEST, _, _, BIASED = SCENARIOS


def lines() -> Iterator[str]:
    """All tables, line by line."""
    yield f"Simulation: P(winner = best), {TRIALS} councils per row, the same two passes of ballots for all three"
    yield f"  {'':42}{'mean':>7} {'Borda':>7} {'version 1':>7} {'ours':>7}   ours less the better of the two"
    for agents, judges in SIZES:
        for scenario in SCENARIOS:
            yield _row(agents, judges, scenario)
    yield from _calibration()
    yield from _orders()
    yield from _early()


def _councils(agents: int, judges: int, scenario: Scenario, **how: int) -> Iterator[Council]:
    rng = random.Random(f"{agents} {judges} {scenario.name} {sorted(how.items())}")
    return (
        hold(agents, judges, scenario, rng, how.get("orders", 2), own=bool(how.get("own"))) for _ in range(TRIALS)
    )


def _ours(council: Council, settings: RankingSettings = QUICK) -> float:
    return float(rank(council.ballots, settings=settings, hashes=council.hashes).winner == council.best)


def _share(best: str, winners: Sequence[str]) -> float:
    return (best in winners) / len(winners)


def _row(agents: int, judges: int, scenario: Scenario) -> str:
    councils = list(_councils(agents, judges, scenario))
    mean = [_share(c.best, best_of(mean_scores(c.ballots))) for c in councils]
    borda = [_share(c.best, best_of(borda_points(c.ballots))) for c in councils]
    ours = [_ours(c) for c in councils]
    rival = max((mean, borda), key=fsum)
    name = f"{agents} agents{f' + {judges} judges' if judges else ''}, {scenario.name}"
    before = _mean([_ours(council, BEFORE) for council in councils])
    cells = f"{_mean(mean):7.3f} {_mean(borda):7.3f} {before:7.3f} {_mean(ours):7.3f}"
    return f"  {name:42}{cells}   {_verdict(ours, rival)}"


def _verdict(ours: Sequence[float], rival: Sequence[float]) -> str:
    """The paired difference with its standard error, in words."""
    differences = [a - b for a, b in zip(ours, rival, strict=True)]
    difference = _mean(differences)
    error = sqrt(_mean([(d - difference) ** 2 for d in differences]) / len(differences))
    words = "" if difference >= 0 else "WORSE" if difference < -2 * error else "worse, within two errors"
    return f"{difference:+.3f} ± {error:.3f} {words}".rstrip()


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _calibration() -> Iterator[str]:
    """Is P(winner) to be believed, and what does `tied` tell?"""
    yield "Calibration (honest): stability, P(winner), how often it was best, and how often an untied winner was"
    yield f"  {'':20} {'stable':>7} {'said':>7} {'true':>7} {'untied':>8} {'true if untied':>15}"
    for agents, judges in SIZES:
        found = [(rank(c.ballots, hashes=c.hashes), c.best) for c in _councils(agents, judges, HONEST)]
        untied = [float(r.winner == best) for r, best in found if not r.tied]
        said, true = _mean([_said(r) for r, _ in found]), _mean([float(r.winner == best) for r, best in found])
        share, stable = len(untied) / len(found), _mean([r.stability or 0.0 for r, _ in found])
        cells = f"{stable:7.3f} {said:7.3f} {true:7.3f} {share:8.3f} {_mean(untied):15.3f}"
        yield f"  {agents} agents, {judges} judges    {cells}"


def _said(ranking: Ranking) -> float:
    return ranking.p_winner or 0.0


def _orders() -> Iterator[str]:
    """How many presentation orders pay, and whether each reviewer needs its own."""
    yield "Presentation: P(winner = best) by number of passes, position bias shared by all reviewers"
    yield f"  {'':20} {'one':>7} {'+reverse':>9} {'four':>7} {'own, one':>9} {'own +reverse':>13}"
    plans: tuple[dict[str, int], ...] = (
        {"orders": 1},
        {"orders": 2},
        {"orders": 4},
        {"orders": 1, "own": 1},
        {"orders": 2, "own": 1},
    )
    for agents, judges in SIZES:
        one, both, four, own, own_both = (
            _mean([_ours(c) for c in _councils(agents, judges, BIASED, **p)]) for p in plans
        )
        cells = f"{one:7.3f} {both:9.3f} {four:7.3f} {own:9.3f} {own_both:13.3f}"
        yield f"  {agents} agents, {judges} judges    {cells}"


def _early() -> Iterator[str]:
    """How often the second pass could be left out, and whether the winner would have been another."""
    yield "Second pass left out where the winner can't change any more (5 agents, honest)"
    yield f"  {'swing':>8} {'skipped':>9} {'winner changed by the pass left out':>37}"
    for swing in (0.5, 1.0, 2.0, None):
        skipped, changed = _skips(RankingSettings.current(exact_up_to=0, resamples=1, swing=swing))
        yield f"  {'whole' if swing is None else swing:>8} {skipped:9.3f} {changed:37d}"


def _skips(settings: RankingSettings) -> tuple[float, int]:
    skipped = changed = 0
    for council in _councils(5, 0, HONEST):
        shown = council.ballots[0].presentation
        first = [ballot for ballot in council.ballots if ballot.presentation == shown]
        safe = decided_early(first, waiting=list(council.author_of.values()), settings=settings)
        skipped += safe is not None
        changed += safe is not None and rank(council.ballots, settings=settings).winner != safe
    return skipped / TRIALS, changed
