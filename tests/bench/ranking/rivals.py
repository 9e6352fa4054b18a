"""Other ways to count the same ballots, to stand beside the ranking: mean scores and Borda points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum

from scipy.stats import rankdata

from domain.ranking import Ballot

Points = Mapping[str, float]
SAME = 1e-9


def mean_scores(ballots: Sequence[Ballot]) -> dict[str, float]:
    """Each proposal's mean over all scores it was given, every criterion alike."""
    given: dict[str, list[float]] = {}
    for ballot in ballots:
        for proposal, scores in ballot.scores.items():
            given.setdefault(proposal, []).extend(scores.values())
    return {proposal: fsum(scores) / len(scores) for proposal, scores in given.items()}


def borda_points(ballots: Sequence[Ballot]) -> dict[str, float]:
    """Each proposal's mean number of others ranked below it on a ballot; a tie is half."""
    points: dict[str, list[float]] = {}
    for ballot in ballots:
        totals = {proposal: fsum(scores.values()) for proposal, scores in ballot.scores.items()}
        for proposal, rank in zip(totals, rankdata(list(totals.values())), strict=True):
            points.setdefault(proposal, []).append(float(rank) - 1)
    return {proposal: fsum(given) / len(given) for proposal, given in points.items()}


def best_of(points: Points) -> list[str]:
    """All proposals with the most points."""
    most = max(points.values())
    return sorted(proposal for proposal, value in points.items() if most - value <= SAME)
