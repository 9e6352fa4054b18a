"""Panels of ballots for the ranking's tests: built by hand, or drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from domain.ranking import Ballot, RankedProposal, Ranking

CRITERIA = ("fit", "clarity")


@dataclass(frozen=True)
class Drawn:
    """A panel with everything that stands beside its ballots."""

    author_of: dict[str, str]
    ballots: list[Ballot]
    hashes: dict[str, str]


def entry_of(ranking: Ranking, proposal: str) -> RankedProposal:
    """The entry of one proposal."""
    return next(entry for entry in ranking.entries if entry.proposal == proposal)


def authorship(agents: int) -> dict[str, str]:
    """Proposal p0 by agent a0, and so on."""
    return {f"p{i}": f"a{i}" for i in range(agents)}


def ballot(reviewer: str, author_of: Mapping[str, str], scores: Mapping[str, float]) -> Ballot:
    """A ballot on a single criterion."""
    return Ballot(reviewer, author_of=author_of, scores={p: {"fit": score} for p, score in scores.items()})


def judged(*rows: Sequence[float]) -> list[Ballot]:
    """One neutral judge per row of scores of p0, p1, …"""
    author_of = authorship(len(rows[0]))
    return [
        ballot(f"judge{r}", author_of, {f"p{i}": score for i, score in enumerate(row)})
        for r, row in enumerate(rows)
    ]


def reviewed(quality: Sequence[float], judges: int = 0) -> list[Ballot]:
    """Every author scores the others' proposals at exactly their quality, and so do judges."""
    author_of = authorship(len(quality))
    scores = {f"p{i}": value for i, value in enumerate(quality)}
    reviewers = [*author_of.values(), *(f"judge{i}" for i in range(judges))]
    return [
        ballot(name, author_of, {p: s for p, s in scores.items() if author_of[p] != name}) for name in reviewers
    ]


@st.composite
def panels(draw: st.DrawFn, *, least: int = 2, most: int = 7, gaps: bool = True, passes: int = 2) -> Drawn:
    """Panels of authors and judges with whole scores, ties, and gaps wherever they may be."""
    author_of = authorship(draw(st.integers(least, most)))
    judges = [f"judge{i}" for i in range(draw(st.integers(0, 3)))]
    ballots = []
    for name in [*author_of.values(), *judges]:
        for _ in range(draw(st.integers(0 if gaps else 1, passes))):
            others = [p for p in author_of if author_of[p] != name]
            scored = [p for p in others if not gaps or draw(st.integers(0, 9)) < 8]
            scores = {p: {c: draw(st.integers(1, 9)) for c in CRITERIA} for p in scored}
            ballots.append(Ballot(name, author_of=author_of, scores=scores))
    hashes = {p: f"{draw(st.integers(0, 2**32)):08x}-{i}" for i, p in enumerate(author_of)}
    return Drawn(author_of, ballots, hashes)
