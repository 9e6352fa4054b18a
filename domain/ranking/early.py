"""Whether ballots still outstanding can change the winner: the reason to skip a second pass, never a guess."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from domain.ranking.ballot import Ballot
from domain.ranking.panel import SAME, Panel, Row, panel_of
from domain.ranking.ranking_inputs import DEFAULT_SETTINGS, RankingSettings
from domain.rubric import Rubric

Bounds = Mapping[int, tuple[float, float]]


def decided_early(
    ballots: Iterable[Ballot],
    *,
    waiting: Collection[str],
    settings: RankingSettings = DEFAULT_SETTINGS,
    rubric: Rubric | None = None,
    excluded: Collection[str] = (),
    caps: Mapping[str, float] | None = None,
    authors: Mapping[str, str] | None = None,
) -> str | None:
    """Return the proposal that wins whatever the outstanding ballots hold, or None if none is safe.

    `waiting` names the reviewers with one ballot outstanding each; those of all others are in. Safe is a
    proposal that every reviewer of both puts above each rival even if its own remaining scores turn out least
    and the rival's greatest: a unanimous preference always ranks above (see `respect_unanimity`), so no
    weight, spread or third proposal can undo it. A remaining score lies on the scale of the settings and
    within `swing` of the reviewer's mean so far; without a swing the whole scale is possible, and a whole
    second pass is then never superfluous. A capped proposal is never safe.
    """
    panel = panel_of(ballots, rubric=rubric, excluded=excluded, authors=authors or {}, reviewers=waiting)
    bounds = [_bounds(row, panel, row.reviewer in waiting, settings) for row in panel.rows]
    for column, proposal in enumerate(panel.proposals):
        rivals = [other for other in panel.columns if other != column]
        if proposal not in (caps or {}) and all(_above(column, rival, bounds) for rival in rivals):
            return proposal
    return None


def _above(column: int, rival: int, bounds: Iterable[Bounds]) -> bool:
    both = [row for row in bounds if column in row and rival in row]
    return bool(both) and all(row[column][0] - row[rival][1] > SAME for row in both)


def _bounds(row: Row, panel: Panel, waits: bool, settings: RankingSettings) -> Bounds:
    """Least and greatest final score per proposal that this reviewer has scored or may still score."""
    if not waits:
        return {column: (score, score) for column, score in row.scores.items()}
    missing = [panel.proposals.index(proposal) for proposal in row.missing]
    scored = {column: _reach(score, row.passes[column], settings) for column, score in row.scores.items()}
    return {**scored, **dict.fromkeys(missing, (settings.lowest, settings.highest))}


def _reach(score: float, passes: int, settings: RankingSettings) -> tuple[float, float]:
    """Where the mean can go with one more score, or stay without it."""
    swing = settings.highest - settings.lowest if settings.swing is None else settings.swing
    least = min(score, max(settings.lowest, score - swing))
    greatest = max(score, min(settings.highest, score + swing))
    return (passes * score + least) / (passes + 1), (passes * score + greatest) / (passes + 1)
