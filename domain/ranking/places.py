"""The place effect: what a place in the presentation is worth whatever stands there. Estimated, then taken out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from domain.ranking.linear import Factor, Matrix
from domain.ranking.panel import Row, Seen, mean

Place = tuple[int, int]
"""How many proposals were shown, and which place among them, 0 the first."""
PlaceEffect = Mapping[int, tuple[float, ...]]
"""Number of proposals shown → points per place, first to last; each row has mean 0."""


def place_effect(rows: Iterable[Row], ridge: float | None) -> PlaceEffect:
    """Estimate what each place adds to a score, of any shape; nothing where the ridge is None.

    Least squares over every pass of every reviewer, score = pass + proposal + place, with a ridge on the places
    alone: what orders and proposals explain equally well is put down to the proposals. A place effect of any
    shape is told apart where each proposal stands at many places (a balanced design); with one order and its
    reverse only its linear part is. Scores whose place is not told have none.
    """
    if ridge is None:
        return {}
    views = sorted((view for row in rows for view in row.views if len(view) > 1), key=_content)
    places = sorted({(seen.shown, seen.place) for view in views for seen in view.values() if seen.shown > 1})
    if not places:
        return {}
    columns = sorted({column for view in views for column in view})
    solved = _solve(views, columns, places, ridge)
    found = dict(zip(places, solved[len(columns) :], strict=True))
    lengths = sorted({shown for shown, _ in places})
    return {shown: _centred([found.get((shown, place), 0.0) for place in range(shown)]) for shown in lengths}


def _solve(
    views: Iterable[Mapping[int, Seen]], columns: Sequence[int], places: Sequence[Place], ridge: float
) -> list[float]:
    """Solve the normal equations, proposals first, each pass's own level eliminated."""
    proposal_at = {column: index for index, column in enumerate(columns)}
    place_at = {place: len(columns) + index for index, place in enumerate(places)}
    size = len(columns) + len(places)
    matrix: Matrix = [[0.0] * size for _ in range(size)]
    right = [0.0] * size
    for index in place_at.values():
        matrix[index][index] = ridge
    for view in views:
        middle = mean([seen.score for seen in view.values()])
        cells = [
            ([proposal_at[c], *_index(place_at, seen)], seen.score - middle) for c, seen in sorted(view.items())
        ]
        touched = [i for indices, _ in cells for i in indices]
        for indices, score in cells:
            for i in indices:
                right[i] += score
                for j in indices:
                    matrix[i][j] += 1.0
        for i in touched:
            for j in touched:
                matrix[i][j] -= 1.0 / len(view)
    return Factor(matrix).solve(right)


def _content(view: Mapping[int, Seen]) -> list[tuple[int, float, int, int]]:
    """A sort key, so that sums don't depend on the order of reviewers or passes."""
    return sorted((column, seen.score, seen.shown, seen.place) for column, seen in view.items())


def _index(place_at: Mapping[Place, int], seen: Seen) -> list[int]:
    index = place_at.get((seen.shown, seen.place))
    return [] if index is None else [index]


def _centred(effects: Sequence[float]) -> tuple[float, ...]:
    middle = mean(effects)
    return tuple(effect - middle for effect in effects)


def without_places(row: Row, effect: PlaceEffect) -> dict[int, float]:
    """Return a reviewer's scores with the mean effect of the places at which it saw each proposal taken out."""
    if not effect:
        return row.scores
    return {c: score - mean(_effects(row, c, effect)) for c, score in row.scores.items()}


def _effects(row: Row, column: int, effect: PlaceEffect) -> list[float]:
    seen = [view[column] for view in row.views if column in view]
    return [effect[s.shown][s.place] if s.shown in effect else 0.0 for s in seen]
