"""Turns what was computed, by column and row, into the values that leave the ranking, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.ranking.agreement import kendall_w, krippendorff_alpha, voice_scores
from domain.ranking.confidence import probability_best
from domain.ranking.effects import Fit, ScoreModel
from domain.ranking.order import Order
from domain.ranking.pairwise import Contests, borda
from domain.ranking.panel import SAME, Panel, Row, mean
from domain.ranking.places import PlaceEffect
from domain.ranking.ranking_inputs import RankingSettings
from domain.ranking.result import Agreement, RankedProposal, Ranking, ReviewerReport
from domain.ranking.robustness import flags
from domain.ranking.uncertainty import Uncertainty


@dataclass(frozen=True)
class RankingParts:
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
    points: Mapping[int, float]
    """Sums of the second look, by column; none where there was none."""
    caps: Mapping[str, float]
    winners_without: Sequence[str]
    uncertainty: Uncertainty
    places: PlaceEffect
    excluded: tuple[str, ...]
    settings: RankingSettings


def describe(parts: RankingParts) -> Ranking:
    """Name the columns and rows, and round what is a float."""
    proposals = parts.panel.proposals
    first = next(iter(parts.order.columns), None)
    condorcet = parts.contests.condorcet()
    tied = _tied(parts)
    stability = None if first is None else _p_best(first, parts)
    return Ranking(
        entries=_entries(parts, tied),
        winner=None if first is None else proposals[first],
        p_winner=_tidy(_p_winner(stability, parts)),
        agreement=_agreement(parts),
        contested=condorcet is not None and _outscored(condorcet, parts),
        condorcet=None if condorcet is None else proposals[condorcet],
        tied=len(tied) > 1,
        decided_by=parts.order.decided_by,
        level=_tidy(parts.level),
        matrix={
            row.reviewer: {proposals[c]: _round(score) for c, score in row.scores.items()}
            for row in parts.panel.rows
            if row.scores
        },
        reviewers=_reports(parts),
        excluded=parts.excluded,
        settings=parts.settings,
        stability=_tidy(stability) if parts.settings.version > 1 else None,
        independent_voices=_voices(parts) if parts.settings.by_voice else None,
        place_effect={str(shown): tuple(map(_round, effects)) for shown, effects in parts.places.items()},
    )


def _p_best(column: int, parts: RankingParts) -> float | None:
    """The share of resamples in which a proposal is best; nothing is claimed by one voice."""
    alone = parts.settings.by_voice and _voices(parts) < 2
    return None if alone else parts.uncertainty.p_best.get(column)


def _voices(parts: RankingParts) -> int:
    return len(set(parts.model.voices))


def _p_winner(stability: float | None, parts: RankingParts) -> float | None:
    """In version 1 the stability; else what that was worth where the best is known, then by the installation."""
    calibration = parts.settings.calibration
    if stability is None or calibration is None:
        return stability
    said = probability_best(stability, voices=_voices(parts), proposals=len(parts.model.compared))
    return calibration.apply(said)


def _agreement(parts: RankingParts) -> Agreement:
    """How far voices agree; in version 1 reviewers."""
    settings, size = parts.settings, len(parts.panel.proposals)
    scores = voice_scores(parts.panel.rows) if settings.by_voice else [row.scores for row in parts.panel.rows]
    return Agreement(
        kendall_w=_tidy(kendall_w(scores, size)),
        krippendorff_alpha=_tidy(krippendorff_alpha(scores, size)),
        mean_correlation=_tidy(_mean_correlation(parts)) if settings.version > 1 else None,
    )


def _mean_correlation(parts: RankingParts) -> float | None:
    if _voices(parts) < 2:
        return None
    by_voice: dict[str, list[float]] = {}
    for voice, agreement in zip(parts.model.voices, parts.agreement, strict=True):
        if agreement is not None:
            by_voice.setdefault(voice, []).append(agreement)
    return mean([mean(found) for found in by_voice.values()]) if by_voice else None


def _outscored(condorcet: int, parts: RankingParts) -> bool:
    """True if another proposal's effect is higher, caps aside: a cap is the gate's doing, not a disagreement."""
    return max(parts.fit.effects) - parts.fit.effects[condorcet] > SAME


def _tied(parts: RankingParts) -> set[int]:
    """The winner, all whose interval reaches rank 1, all of its score; the uncompared tie among themselves.

    A second look tells those apart from the winner that have fewer points.
    """
    order, compared = parts.order.columns, parts.model.compared
    peers = [c for c in order if c in compared] or list(order)
    equal = {c for c in peers if abs(parts.scores[c] - parts.scores[peers[0]]) <= SAME}
    tied = equal | {c for c in peers if _interval(c, parts)[0] == 1}
    return tied - {c for c, points in parts.points.items() if points < parts.points[order[0]]}


def _interval(column: int, parts: RankingParts) -> tuple[int, int]:
    """Ranks over the resamples, widened to hold the rank it has; all ranks if no reviewer compared it."""
    order = parts.order
    low, high = parts.uncertainty.intervals.get(column, (1, len(order.columns)))
    rank = order.ranks[order.columns.index(column)]
    return min(low, rank), max(high, rank)


def _entries(parts: RankingParts, tied: set[int]) -> tuple[RankedProposal, ...]:
    points = borda([row.scores for row in parts.panel.rows], len(parts.panel.proposals))
    wins = parts.contests.copeland()
    return tuple(
        _entry(
            column,
            rank,
            parts,
            tied=len(tied) > 1 and column in tied,
            borda=points[column],
            copeland=wins[column],
        )
        for column, rank in zip(parts.order.columns, parts.order.ranks, strict=True)
    )


def _entry(
    column: int, rank: int, parts: RankingParts, *, tied: bool, borda: float | None, copeland: int
) -> RankedProposal:
    proposal, compared = parts.panel.proposals[column], column in parts.model.compared
    names = parts.panel.rubric.names
    scores = [row.criteria[column] for row in parts.panel.rows if column in row.criteria]
    effects = zip(names, parts.fit.criteria, strict=True) if compared else ()
    return RankedProposal(
        proposal=proposal,
        author=parts.panel.authors[proposal],
        rank=rank,
        score=_tidy(parts.scores[column]) if compared else None,
        effect=_tidy(parts.fit.effects[column]) if compared else None,
        interval=_interval(column, parts),
        p_best=_tidy(_p_best(column, parts)),
        borda=_tidy(borda),
        copeland=copeland,
        criteria={
            name: _round(mean(points)) for name, points in zip(names, zip(*scores, strict=True), strict=False)
        },
        criterion_effects={name: _round(effect[column]) for name, effect in effects},
        reviewers=len(scores),
        tied=tied,
        shared=parts.order.ranks.count(rank) > 1,
        capped_at=parts.caps.get(proposal),
        second_look=parts.points.get(column),
    )


def _reports(parts: RankingParts) -> tuple[ReviewerReport, ...]:
    place = {row.reviewer: r for r, row in enumerate(parts.rows)}
    return tuple(_report(row, place.get(row.reviewer), parts) for row in parts.panel.rows)


def _report(row: Row, r: int | None, parts: RankingParts) -> ReviewerReport:
    """Report one reviewer; `r` is None if it compared nothing."""
    agreement = None if r is None else parts.agreement[r]
    return ReviewerReport(
        reviewer=row.reviewer,
        neutral=row.neutral,
        ballots=row.ballots,
        scored=len(row.scores),
        offset=None if r is None else _tidy(parts.fit.levels[r] - (parts.level or 0.0)),
        spread=None if r is None else _tidy(parts.model.ballots[r].spread),
        swap_difference=_tidy(row.swap_difference),
        swap_consistency=_tidy(row.swap_consistency),
        agreement=_tidy(agreement),
        weight=0.0 if r is None else _round(parts.weights[r]),
        winner_without=None if r is None else parts.winners_without[r],
        missing=row.missing,
        flags=flags(row, agreement, parts.settings),
        voice=row.voice if parts.settings.by_voice else "",
    )


def _round(value: float) -> float:
    """Ten decimals: what lies beyond is rounding of sums, and no negative zero."""
    return round(value, 10) + 0.0


def _tidy(value: float | None) -> float | None:
    return None if value is None else _round(value)
