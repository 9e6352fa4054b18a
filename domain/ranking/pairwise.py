"""Head-to-head contests between proposals: Borda, Copeland, Condorcet, unanimity. Every reviewer has one voice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum

from domain.ranking.panel import SAME, sign

Scores = Mapping[int, float]


def midranks(scores: Scores) -> dict[int, float]:
    """Rank 1 for the highest score; equal scores share the mean of their ranks."""
    order = sorted(scores, key=lambda column: (-scores[column], column))
    ranks: dict[int, float] = {}
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and not sign(scores[order[end - 1]] - scores[order[end]]):
            end += 1
        ranks.update((column, (start + 1 + end) / 2) for column in order[start:end])
        start = end
    return ranks


def borda(rows: Iterable[Scores], size: int) -> list[float | None]:
    """The share of the others on a ballot that a proposal beats, averaged over its ballots (ties count half).

    Every ballot is ranked anew after own and removed proposals are out of it, so a ballot of k proposals
    gives 0 to k-1 points; dividing by k-1 lets judges' and authors' ballots count alike. None without a
    ballot of two or more.
    """
    shares: list[list[float]] = [[] for _ in range(size)]
    for scores in rows:
        if len(scores) > 1:
            for column, rank in midranks(scores).items():
                shares[column].append((len(scores) - rank) / (len(scores) - 1))
    return [fsum(row) / len(row) if row else None for row in shares]


class Contests:
    """Every pair of proposals, decided by the reviewers who scored both."""

    def __init__(self, rows: Sequence[Scores], size: int) -> None:
        self._size = size
        self._margin = [[0] * size for _ in range(size)]
        self._voters = [[0] * size for _ in range(size)]
        for scores in rows:
            self._count(sorted(scores.items()))
        for a in range(size):
            for b in range(a):
                self._margin[a][b], self._voters[a][b] = -self._margin[b][a], self._voters[b][a]
        self._outcome = [[(margin > 0) - (margin < 0) for margin in line] for line in self._margin]

    def _count(self, ballot: list[tuple[int, float]]) -> None:
        for place, (a, score) in enumerate(ballot):
            margin, voters = self._margin[a], self._voters[a]
            for b, rival_score in ballot[place + 1 :]:
                voters[b] += 1
                if score - rival_score > SAME:
                    margin[b] += 1
                elif rival_score - score > SAME:
                    margin[b] -= 1

    def outcome(self, a: int, b: int) -> int:
        """1 if more reviewers prefer a to b than b to a, -1 if fewer, else 0."""
        return self._outcome[a][b]

    def unanimous(self, a: int, b: int) -> bool:
        """True if at least one reviewer scored both and every one of them put a above b."""
        return 0 < self._voters[a][b] == self._margin[a][b]

    def copeland(self, among: Sequence[int] | None = None) -> dict[int, int]:
        """Contests won less contests lost, within the given proposals (all by default)."""
        field = range(self._size) if among is None else among
        return {a: sum(map(self._outcome[a].__getitem__, field)) for a in field}

    def condorcet(self) -> int | None:
        """The proposal that wins every contest, if there is one and it has a rival."""
        for a in range(self._size):
            if self._size > 1 and all(self.outcome(a, b) > 0 for b in range(self._size) if b != a):
                return a
        return None
