"""Ballots in, verdict out. Pure, and indifferent to the order in which anything is handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf

from domain.ranking.ballot import Ballot
from domain.ranking.comparisons import Comparison, by_column, sums
from domain.ranking.effects import Fit, ScoreModel, counted_voice
from domain.ranking.linear import Vector
from domain.ranking.order import Order, TieBreaks, arrange, compared_again, respect_unanimity
from domain.ranking.pairwise import Contests
from domain.ranking.panel import Panel, Row, mean, panel_of
from domain.ranking.places import place_effect
from domain.ranking.ranking_inputs import DEFAULT_SETTINGS, RankingSettings
from domain.ranking.reliability import Reliability
from domain.ranking.report import RankingParts, describe
from domain.ranking.result import Ranking
from domain.ranking.robustness import agreements, weights
from domain.ranking.uncertainty import assess
from domain.rubric import Rubric


def rank(
    ballots: Iterable[Ballot],
    *,
    settings: RankingSettings = DEFAULT_SETTINGS,
    rubric: Rubric | None = None,
    checks: Mapping[str, float] | None = None,
    hashes: Mapping[str, str] | None = None,
    excluded: Collection[str] = (),
    caps: Mapping[str, float] | None = None,
    authors: Mapping[str, str] | None = None,
    reviewers: Collection[str] = (),
    absent: Collection[str] = (),
    reliability: Reliability | None = None,
    second_look: Sequence[str] = (),
    comparisons: Iterable[Comparison] = (),
) -> Ranking:
    """Rank the proposals by their reviewers' scores.

    `rubric` gives the criteria, their weights and their order; without it every criterion on the ballots
    counts equally, by name. `checks` is each proposal's check score, the greater the better (absent: 0), and
    breaks ties. `hashes` is each proposal's content hash and names a winner where nothing else does (absent:
    a hash of its id). `excluded` proposals are removed first, their authors still review; `caps` bounds a
    proposal's score. `authors` names proposals that no ballot may know of, `reviewers` who was to review
    besides the authors, `absent` which authors were not; all three only make gaps visible. `reliability`
    counts only where the settings say so. `second_look` names the best of an earlier ranking of the same ballots,
    tied there; `comparisons` of each two of them decide their order.

    Scores of a reviewer's own proposals are never read. Several ballots of a reviewer are averaged.
    Raises ValueError if two ballots disagree about who wrote a proposal.

    >>> authors = {"p1": "ada", "p2": "bob", "p3": "eve"}
    >>> ballots = [
    ...     Ballot("ada", author_of=authors, scores={"p2": {"fit": 8}, "p3": {"fit": 4}}),
    ...     Ballot("bob", author_of=authors, scores={"p1": {"fit": 5}, "p3": {"fit": 2}}),
    ...     Ballot("eve", author_of=authors, scores={"p1": {"fit": 6}, "p2": {"fit": 7}}),
    ...     Ballot("judge", author_of=authors, scores={"p1": {"fit": 6}, "p2": {"fit": 8}, "p3": {"fit": 3}}),
    ... ]
    >>> ranking = rank(ballots)
    >>> [(entry.rank, entry.proposal, round(entry.score, 2), entry.interval) for entry in ranking.entries]
    [(1, 'p2', 7.61, (1, 1)), (2, 'p1', 5.68, (2, 2)), (3, 'p3', 3.03, (3, 3))]
    >>> ranking.winner, ranking.tied, ranking.contested, ranking.decided_by
    ('p2', False, False, 'score')
    """
    panel = panel_of(
        ballots, rubric=rubric, excluded=excluded, authors=authors or {}, reviewers=reviewers, absent=absent
    )
    rows = _comparing(panel, settings)
    places = place_effect(panel.rows, settings.place_ridge)
    voices = {counted_voice(row, settings) for row in panel.rows if len(row.scores) > 1}
    robust = len(voices) >= settings.robust_from
    model = ScoreModel(panel, rows, settings, places, robust=robust)
    prior = _prior(rows, model.voices, reliability, settings)
    without = model.leave_one_out(prior)
    agreement = agreements(model.ballots, without)
    weight = weights(agreement, prior, settings) if robust else prior
    fit = model.fit(weight, without if weight == prior else model.leave_one_out(weight))
    level = mean(fit.levels) if rows else None
    side = _SideInputs(panel, level or 0.0, caps or {}, checks or {}, hashes or {})
    contests = Contests([row.scores for row in panel.rows], len(panel.proposals))
    order, scores = _order(fit, contests, model.compared, side)
    points = by_column(sums(comparisons, second_look), panel.proposals)
    order = compared_again(order, points, scores, side.breaks(fit, contests))
    return describe(
        RankingParts(
            panel=panel,
            rows=rows,
            model=model,
            fit=fit,
            weights=weight,
            agreement=agreement,
            level=level,
            contests=contests,
            order=order,
            scores=scores,
            points=points,
            caps=side.caps,
            winners_without=[side.first(effects, model.compared) for effects in fit.without],
            uncertainty=assess(fit, model.compared, _canonical(model, fit, rows), side.ceilings, settings),
            places=places,
            excluded=tuple(sorted(excluded)),
            settings=settings,
        )
    )


def _comparing(panel: Panel, settings: RankingSettings) -> list[Row]:
    """The reviewers that compared two proposals or more; those who told none apart only where no other did."""
    rows = [row for row in panel.rows if len(row.scores) > 1]
    if not settings.skip_flat:
        return rows
    told = {column for row in rows if not row.is_flat for column in row.scores}
    return [row for row in rows if not row.is_flat or row.scores.keys() - told]


def _prior(
    rows: Sequence[Row], voices: Sequence[str], reliability: Reliability | None, settings: RankingSettings
) -> list[float]:
    """What each reviewer's ballot counts before the others are asked: an equal part of its voice."""
    ballots = Counter(voices)
    parts = [1.0 / ballots[voice] for voice in voices]
    if reliability is None or not settings.use_reliability:
        return parts
    records = reliability.weights([row.reviewer for row in rows], settings.weight_floor)
    return [part * record for part, record in zip(parts, records, strict=True)]


def _canonical(model: ScoreModel, fit: Fit, rows: Sequence[Row]) -> list[int]:
    """One reviewer of each voice, in an order that names decide only as a last resort: they move no draws."""

    def content(r: int) -> tuple[list[tuple[float, float]], str]:
        scores = model.ballots[r].scores.items()
        return sorted((round(fit.effects[c], 9), round(score, 9)) for c, score in scores), rows[r].reviewer

    return model.first_of_each(sorted(range(len(rows)), key=content))


@dataclass(frozen=True)
class _SideInputs:
    """What the ranking reads besides the ballots: caps, checks and hashes, by column."""

    panel: Panel
    level: float
    caps: Mapping[str, float]
    checks: Mapping[str, float]
    named: Mapping[str, str]

    @property
    def ceilings(self) -> Vector:
        """The greatest effect that each proposal's cap allows."""
        return [self.caps.get(proposal, inf) - self.level for proposal in self.panel.proposals]

    @property
    def hashes(self) -> list[str]:
        return [self.named.get(p) or sha256(p.encode()).hexdigest() for p in self.panel.proposals]

    def first(self, effects: Sequence[float], columns: Sequence[int]) -> str:
        """The proposal with the highest effect under the caps; equals go by hash."""
        ceilings, hashes = self.ceilings, self.hashes
        best = min(columns, key=lambda c: (-round(min(effects[c], ceilings[c]), 9), hashes[c]))
        return self.panel.proposals[best]

    def breaks(self, fit: Fit, contests: Contests) -> TieBreaks:
        checks = [self.checks.get(proposal, 0.0) for proposal in self.panel.proposals]
        criteria = [tuple(effects[c] for effects in fit.criteria) for c in self.panel.columns]
        return TieBreaks(contests, checks, criteria, self.hashes)


def _order(fit: Fit, contests: Contests, compared: Sequence[int], side: _SideInputs) -> tuple[Order, list[float]]:
    """Order the compared proposals by capped score; after them those without scores, by tie-breaks."""
    breaks = side.breaks(fit, contests)
    pooled = respect_unanimity(fit.effects, compared, breaks)
    scores = [side.level + min(effect, top) for effect, top in zip(pooled, side.ceilings, strict=True)]
    ordered = arrange(scores, compared, breaks)
    rest = arrange(scores, [c for c in side.panel.columns if c not in compared], breaks)
    return ordered.followed_by(rest), scores
