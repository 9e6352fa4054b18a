"""Turns what was computed, by column and row, into the values that leave the ranking, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.ranking.agreement import kendall_w, krippendorff_alpha
from domain.ranking.effects import Fit, ScoreModel
from domain.ranking.order import Order
from domain.ranking.pairwise import Contests, borda
from domain.ranking.panel import SAME, Panel, Row, mean
from domain.ranking.ranking_settings import RankingSettings
from domain.ranking.result import Agreement, RankedProposal, Ranking, ReviewerReport
from domain.ranking.robustness import flags
from domain.ranking.uncertainty import Uncertainty


@dataclass(frozen=True)
class Findings:
    """All that was computed of one panel. `rows` are those that compared something; lists run parallel."""

    panel: Panel
    rows: Sequence[Row]
    model: ScoreModel
    fit: Fit
    weights: Sequence[float]
    agreement: Sequence[float | None]
    level: float | None
    contests: Contests
    order: Order
    scores: Sequence[float]
    caps: Mapping[str, float]
    winners_without: Sequence[str]
    uncertainty: Uncertainty
    excluded: tuple[str, ...]
    settings: RankingSettings


def describe(found: Findings) -> Ranking:
    """Name the columns and rows, and round what is a float."""
    proposals, size = found.panel.proposals, len(found.panel.proposals)
    given = [row.scores for row in found.panel.rows]
    first = next(iter(found.order.columns), None)
    condorcet = found.contests.condorcet()
    tied = _tied(found)
    return Ranking(
        entries=_entries(found, tied),
        winner=None if first is None else proposals[first],
        p_winner=None if first is None else _tidy(found.uncertainty.p_best.get(first)),
        agreement=Agreement(
            kendall_w=_tidy(kendall_w(given, size)), krippendorff_alpha=_tidy(krippendorff_alpha(given, size))
        ),
        contested=condorcet is not None and _outscored(condorcet, found),
        condorcet=None if condorcet is None else proposals[condorcet],
        tied=len(tied) > 1,
        decided_by=found.order.decided_by,
        level=_tidy(found.level),
        matrix={
            row.reviewer: {proposals[c]: _round(score) for c, score in row.scores.items()}
            for row in found.panel.rows
            if row.scores
        },
        reviewers=_reports(found),
        excluded=found.excluded,
        settings=found.settings,
    )


def _outscored(condorcet: int, found: Findings) -> bool:
    """True if another proposal's effect is higher, caps aside: a cap is the gate's doing, not a disagreement."""
    return max(found.fit.effects) - found.fit.effects[condorcet] > SAME


def _tied(found: Findings) -> set[int]:
    """The winner, all whose interval reaches rank 1, all of its score; the uncompared tie among themselves."""
    order, compared = found.order.columns, found.model.compared
    peers = [c for c in order if c in compared] or list(order)
    equal = {c for c in peers if abs(found.scores[c] - found.scores[peers[0]]) <= SAME}
    return equal | {c for c in peers if _interval(c, found)[0] == 1}


def _interval(column: int, found: Findings) -> tuple[int, int]:
    """Ranks over the resamples, widened to hold the rank it has; all ranks if nobody compared it."""
    order = found.order
    low, high = found.uncertainty.intervals.get(column, (1, len(order.columns)))
    rank = order.ranks[order.columns.index(column)]
    return min(low, rank), max(high, rank)


def _entries(found: Findings, tied: set[int]) -> tuple[RankedProposal, ...]:
    points = borda([row.scores for row in found.panel.rows], len(found.panel.proposals))
    wins = found.contests.copeland()
    return tuple(
        _entry(
            column,
            rank,
            found,
            tied=len(tied) > 1 and column in tied,
            borda=points[column],
            copeland=wins[column],
        )
        for column, rank in zip(found.order.columns, found.order.ranks, strict=True)
    )


def _entry(
    column: int, rank: int, found: Findings, *, tied: bool, borda: float | None, copeland: int
) -> RankedProposal:
    proposal, compared = found.panel.proposals[column], column in found.model.compared
    names = found.panel.rubric.names
    given = [row.criteria[column] for row in found.panel.rows if column in row.criteria]
    effects = zip(names, found.fit.criteria, strict=True) if compared else ()
    return RankedProposal(
        proposal=proposal,
        author=found.panel.authors[proposal],
        rank=rank,
        score=_tidy(found.scores[column]) if compared else None,
        effect=_tidy(found.fit.effects[column]) if compared else None,
        interval=_interval(column, found),
        p_best=_tidy(found.uncertainty.p_best.get(column)),
        borda=_tidy(borda),
        copeland=copeland,
        criteria={name: _round(mean(parts)) for name, parts in zip(names, zip(*given, strict=True), strict=False)},
        criterion_effects={name: _round(effect[column]) for name, effect in effects},
        reviewers=len(given),
        tied=tied,
        shared=found.order.ranks.count(rank) > 1,
        capped_at=found.caps.get(proposal),
    )


def _reports(found: Findings) -> tuple[ReviewerReport, ...]:
    place = {row.reviewer: r for r, row in enumerate(found.rows)}
    return tuple(_report(row, place.get(row.reviewer), found) for row in found.panel.rows)


def _report(row: Row, r: int | None, found: Findings) -> ReviewerReport:
    """Report one reviewer; `r` is None if it compared nothing."""
    agreement = None if r is None else found.agreement[r]
    return ReviewerReport(
        reviewer=row.reviewer,
        neutral=row.neutral,
        ballots=row.ballots,
        scored=len(row.scores),
        offset=None if r is None else _tidy(found.fit.levels[r] - (found.level or 0.0)),
        spread=None if r is None else _tidy(found.model.centred[r].spread),
        swap_difference=_tidy(row.swap_difference),
        swap_consistency=_tidy(row.swap_consistency),
        agreement=_tidy(agreement),
        weight=0.0 if r is None else _round(found.weights[r]),
        winner_without=None if r is None else found.winners_without[r],
        missing=row.missing,
        flags=flags(row, agreement, found.settings),
    )


def _round(value: float) -> float:
    """Ten decimals: what lies beyond is rounding of sums, and no negative zero."""
    return round(value, 10) + 0.0


def _tidy(value: float | None) -> float | None:
    return None if value is None else _round(value)
