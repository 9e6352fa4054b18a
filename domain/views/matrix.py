"""Who gave whom what, as rows of a table: the ranking's matrix in the order of its places."""

from __future__ import annotations

from domain.ranking import Ranking
from domain.value import Value


class MatrixCell(Value):
    """What a reviewer gave a proposal."""

    proposal: str
    score: float | None
    """Weighted over criteria, passes averaged; None where there is none."""
    own: bool
    """The reviewer wrote it: it is neither asked for nor read."""


class MatrixRow(Value):
    """One reviewer's scores, and what its ballots were like."""

    reviewer: str
    neutral: bool
    cells: tuple[MatrixCell, ...]
    """In the order of the places, best first."""
    weight: float
    agreement: float | None
    swap_consistency: float | None


def matrix(ranking: Ranking) -> tuple[MatrixRow, ...]:
    """Return a row for each reviewer."""
    return tuple(
        MatrixRow(
            reviewer=report.reviewer,
            neutral=report.neutral,
            cells=_cells(ranking, report.reviewer),
            weight=report.weight,
            agreement=report.agreement,
            swap_consistency=report.swap_consistency,
        )
        for report in ranking.reviewers
    )


def _cells(ranking: Ranking, reviewer: str) -> tuple[MatrixCell, ...]:
    given = ranking.matrix.get(reviewer, {})
    return tuple(
        MatrixCell(
            proposal=entry.proposal,
            score=given.get(entry.proposal),
            own=entry.proposal not in given and entry.author == reviewer,
        )
        for entry in ranking.entries
    )
