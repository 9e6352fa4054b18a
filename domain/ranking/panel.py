"""The ballots as one table: averages a reviewer's passes, leaves out own and removed proposals, finds the gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum
from operator import mul

from domain.ranking.ballot import Ballot
from domain.rubric import Criterion, Rubric

SAME = 1e-9
"""Scores nearer than this count as equal: it is above the rounding of sums and below anything a reviewer means."""


def mean(values: Sequence[float]) -> float:
    """The mean of at least one value, rounded once, whatever their order."""
    return fsum(values) / len(values)


def sign(difference: float) -> int:
    """-1, 0 or 1; 0 within `SAME`."""
    return (difference > SAME) - (difference < -SAME)


@dataclass(frozen=True)
class Row:
    """One reviewer's averaged scores of the proposals it may score, keyed by the proposal's column."""

    reviewer: str
    ballots: int
    neutral: bool
    scores: dict[int, float]
    passes: dict[int, int]
    """On how many of its ballots each proposal was scored."""
    criteria: dict[int, tuple[float, ...]]
    swap_difference: float | None
    swap_consistency: float | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """Who scored what: `proposals` gives the columns in sorted order, `rows` the reviewers likewise."""

    proposals: tuple[str, ...]
    authors: dict[str, str]
    rubric: Rubric
    rows: tuple[Row, ...]

    @property
    def columns(self) -> range:
        """Indices of the proposals."""
        return range(len(self.proposals))


def seat(
    ballots: Iterable[Ballot],
    *,
    rubric: Rubric | None,
    excluded: Collection[str],
    authors: Mapping[str, str],
    reviewers: Collection[str],
    absent: Collection[str] = (),
) -> Panel:
    """Build the panel of every author not absent, every expected reviewer and everyone who handed in a ballot.

    Raises ValueError if two ballots disagree about who wrote a proposal.
    """
    cast = list(ballots)
    everyone = _authorship(cast, authors)
    removed = set(excluded)
    kept = {p: everyone[p] for p in sorted(everyone) if p not in removed}
    used = rubric or _rubric_of(cast)
    expected = set(everyone.values()) - set(absent) | set(reviewers)
    names = sorted(expected | {ballot.reviewer for ballot in cast})
    own = {name: [ballot for ballot in cast if ballot.reviewer == name] for name in names}
    rows = tuple(_row(name, own[name], kept, set(everyone.values()), used) for name in names)
    return Panel(tuple(kept), kept, used, rows)


def _authorship(ballots: Iterable[Ballot], known: Mapping[str, str]) -> dict[str, str]:
    authors = dict(known)
    for ballot in ballots:
        for proposal, author in ballot.author_of.items():
            if authors.setdefault(proposal, author) != author:
                raise ValueError(f"ballots disagree about who wrote {proposal}: {authors[proposal]} or {author}")
    return authors


def _rubric_of(ballots: Iterable[Ballot]) -> Rubric:
    """The criteria that most scores hold, equally weighted, by name: their own order is not part of a ballot.

    Most, not all or any: one reviewer that adds or drops a criterion must not make gaps of everybody's
    ballots.
    """
    given = [scores for ballot in ballots for scores in ballot.scores.values()]
    held = Counter(name for scores in given for name in scores)
    names = [name for name in sorted(held) if 2 * held[name] > len(given)]
    return Rubric(criteria=tuple(Criterion(name=name) for name in names or ["overall"]))


def _row(name: str, cast: list[Ballot], kept: dict[str, str], authors: set[str], rubric: Rubric) -> Row:
    may_score = {p: column for column, p in enumerate(kept) if kept[p] != name}
    passes = [_complete(ballot, may_score, rubric) for ballot in cast]
    weights = [criterion.weight for criterion in rubric.criteria]
    total = fsum(weights)
    weighted = [
        {column: fsum(map(mul, weights, given)) / total for column, given in one.items()} for one in passes
    ]
    seen = sorted({column for one in passes for column in one})
    scores = {column: mean([one[column] for one in weighted if column in one]) for column in seen}
    criteria = {
        column: tuple(mean(part) for part in zip(*(one[column] for one in passes if column in one), strict=True))
        for column in seen
    }
    times = {column: sum(column in one for one in passes) for column in seen}
    missing = tuple(p for p, column in may_score.items() if column not in scores)
    difference, consistency = _swap(weighted)
    return Row(name, len(cast), name not in authors, scores, times, criteria, difference, consistency, missing)


def _complete(ballot: Ballot, may_score: dict[str, int], rubric: Rubric) -> dict[int, tuple[float, ...]]:
    """A pass's scores by criterion, in declared order. A lacking criterion is a gap, an unknown one unread."""
    names = rubric.names
    return {
        may_score[proposal]: tuple(map(given.__getitem__, names))
        for proposal, given in ballot.scores.items()
        if proposal in may_score and given.keys() >= set(names)
    }


def _swap(passes: list[dict[int, float]]) -> tuple[float | None, float | None]:
    """How a reviewer's passes differ: mean absolute change of a score, and the share of pairs ordered alike.

    A pair tied in one pass only counts half; None where nothing was scored twice.
    """
    changes: list[float] = []
    alike: list[float] = []
    for first, second in combinations(passes, 2):
        shared = sorted(first.keys() & second.keys())
        changes += [abs(first[c] - second[c]) for c in shared]
        pairs = list(combinations(shared, 2))
        before, after = ([sign(one[a] - one[b]) for a, b in pairs] for one in (first, second))
        alike += [1 - abs(x - y) / 2 for x, y in zip(before, after, strict=True)]
    return (mean(changes) if changes else None), (mean(alike) if alike else None)
