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
class Seen:
    """A score of one pass, and where the proposal stood: `place` (0 is first) of `shown`; 0 of 0 if not told."""

    score: float
    shown: int
    place: int


@dataclass(frozen=True)
class Row:
    """One reviewer's averaged scores of the proposals it may score, keyed by the proposal's column."""

    reviewer: str
    voice: str
    ballots: int
    neutral: bool
    scores: dict[int, float]
    passes: dict[int, int]
    """On how many of its ballots each proposal was scored."""
    criteria: dict[int, tuple[float, ...]]
    swap_difference: float | None
    swap_consistency: float | None
    missing: tuple[str, ...]
    views: tuple[dict[int, Seen], ...]
    """The same scores pass by pass."""

    @property
    def is_flat(self) -> bool:
        """Whether all scores are equal, so that they say nothing about the order."""
        return max(self.scores.values()) - min(self.scores.values()) <= SAME


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


def panel_of(
    ballots: Iterable[Ballot],
    *,
    rubric: Rubric | None,
    excluded: Collection[str],
    authors: Mapping[str, str],
    reviewers: Collection[str],
    absent: Collection[str] = (),
) -> Panel:
    """Build the panel of every author not absent, every expected reviewer and every reviewer with a ballot.

    Raises ValueError if two ballots disagree about who wrote a proposal.
    """
    ballots = list(ballots)
    author_of = _authorship(ballots, authors)
    removed = set(excluded)
    standing = {p: author_of[p] for p in sorted(author_of) if p not in removed}
    rubric = rubric or _rubric_of(ballots)
    expected = set(author_of.values()) - set(absent) | set(reviewers)
    names = sorted(expected | {ballot.reviewer for ballot in ballots})
    own = {name: [ballot for ballot in ballots if ballot.reviewer == name] for name in names}
    rows = tuple(_row(name, own[name], standing, set(author_of.values()), rubric) for name in names)
    return Panel(tuple(standing), standing, rubric, rows)


def _authorship(ballots: Iterable[Ballot], authors: Mapping[str, str]) -> dict[str, str]:
    author_of = dict(authors)
    for ballot in ballots:
        for proposal, author in ballot.author_of.items():
            if author_of.setdefault(proposal, author) != author:
                raise ValueError(f"ballots disagree about who wrote {proposal}: {author_of[proposal]} or {author}")
    return author_of


def _rubric_of(ballots: Iterable[Ballot]) -> Rubric:
    """The criteria that most scores hold, equally weighted, by name: their own order is not part of a ballot.

    Most, not all or any: one reviewer that adds or drops a criterion must not make gaps of all reviewers'
    ballots.
    """
    rows = [scores for ballot in ballots for scores in ballot.scores.values()]
    times = Counter(name for scores in rows for name in scores)
    names = [name for name in sorted(times) if 2 * times[name] > len(rows)]
    return Rubric(criteria=tuple(Criterion(name=name) for name in names or ["overall"]))


def _row(name: str, ballots: list[Ballot], standing: dict[str, str], authors: set[str], rubric: Rubric) -> Row:
    may_score = {p: column for column, p in enumerate(standing) if standing[p] != name}
    passes = [_complete(ballot, may_score, rubric) for ballot in ballots]
    weighted = [_weighted(scores, rubric) for scores in passes]
    columns = sorted({column for scores in passes for column in scores})
    scores = {column: mean([row[column] for row in weighted if column in row]) for column in columns}
    criteria = {column: _criteria_means([row[column] for row in passes if column in row]) for column in columns}
    times = {column: sum(column in row for row in passes) for column in columns}
    missing = tuple(p for p, column in may_score.items() if column not in scores)
    difference, consistency = _swap(weighted)
    views = tuple(_views(ballot, row, tuple(standing)) for ballot, row in zip(ballots, weighted, strict=True))
    return Row(
        reviewer=name,
        voice=_voice(name, ballots),
        ballots=len(ballots),
        neutral=name not in authors,
        scores=scores,
        passes=times,
        criteria=criteria,
        swap_difference=difference,
        swap_consistency=consistency,
        missing=missing,
        views=views,
    )


def _voice(name: str, ballots: list[Ballot]) -> str:
    """The voice that the reviewer's ballots name, the first by name if they differ; else the reviewer itself."""
    return min((ballot.voice for ballot in ballots if ballot.voice), default=name)


def _views(ballot: Ballot, weighted: dict[int, float], proposals: tuple[str, ...]) -> dict[int, Seen]:
    """A pass's scores with their places; removed proposals and the reviewer's own took up places too."""
    places = {proposal: place for place, proposal in enumerate(ballot.presentation)}
    shown = len(ballot.presentation)
    return {
        column: Seen(score, shown, places[proposals[column]]) if proposals[column] in places else Seen(score, 0, 0)
        for column, score in weighted.items()
    }


def _weighted(scores: dict[int, tuple[float, ...]], rubric: Rubric) -> dict[int, float]:
    """A pass's scores, weighted over the criteria."""
    weights = [criterion.weight for criterion in rubric.criteria]
    total = fsum(weights)
    return {column: fsum(map(mul, weights, parts)) / total for column, parts in scores.items()}


def _criteria_means(passes: list[tuple[float, ...]]) -> tuple[float, ...]:
    """The mean per criterion over the passes that scored a proposal."""
    return tuple(mean(part) for part in zip(*passes, strict=True))


def _complete(ballot: Ballot, may_score: dict[str, int], rubric: Rubric) -> dict[int, tuple[float, ...]]:
    """A pass's scores by criterion, in declared order. A lacking criterion is a gap, an unknown one unread."""
    names = rubric.names
    return {
        may_score[proposal]: tuple(map(scores.__getitem__, names))
        for proposal, scores in ballot.scores.items()
        if proposal in may_score and scores.keys() >= set(names)
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
        before, after = ([sign(scores[a] - scores[b]) for a, b in pairs] for scores in (first, second))
        alike += [1 - abs(x - y) / 2 for x, y in zip(before, after, strict=True)]
    return (mean(changes) if changes else None), (mean(alike) if alike else None)
