"""How far reviewers' severities differ: the ridge that takes out as much of a severity as is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum

from domain.ranking.linear import Factor, Matrix
from domain.ranking.panel import mean

_ERROR = 0.4  # prior variance of a comparable score's error, in squared median spreads
_SEVERITY = 0.03  # prior variance of severities, likewise: reviewers share a scale until they show otherwise
_LARGEST = 1e6  # of the ridge; all severities equal

Cells = Sequence[Mapping[int, float]]


def severity_ridge(ballots: Cells, spread: float, prior: float) -> float:
    """Return error variance / severity variance, the ridge on offsets that predicts them best (BLUP).

    Both variances are estimated by Henderson's method III (Estimation of variance and covariance components,
    Biometrics 9, 1953): from what reviewers explain beyond proposals, and from what neither explains, each blended
    with a prior worth `prior` degrees of freedom, since a small panel measures neither. Where scales are shared
    the ridge is large and effects come near the plain means; where they are not it is small and all severity is
    taken out. `spread` is the panel's median spread, the unit of the priors.
    """
    cells = [(r, column, score) for r, ballot in enumerate(ballots) for column, score in sorted(ballot.items())]
    times = Counter(column for _, column, _ in cells)
    beyond, left, links = _explained(ballots, times)
    spare = max(0, len(cells) - len(times) - links)
    unit = spread * spread
    error = (left + prior * _ERROR * unit) / (spare + prior)
    reach = len(cells) - fsum(1 / times[column] for _, column, _ in cells)
    found = max(0.0, beyond - links * error) / reach if reach > 0 else 0.0
    severity = (links * found + prior * _SEVERITY * unit) / (links + prior)
    return min(_LARGEST, error / severity) if severity > 0 else _LARGEST


def _explained(ballots: Cells, times: Mapping[int, int]) -> tuple[float, float, int]:
    """Squares that reviewers explain beyond proposals, those that neither explains, and reviewers' rank."""
    means = {column: mean([ballot[column] for ballot in ballots if column in ballot]) for column in times}
    alone = fsum((score - means[c]) ** 2 for ballot in ballots for c, score in ballot.items())
    effects, parts = _fixed_effects(ballots, sorted(times))
    rests = [{c: score - effects[c] for c, score in ballot.items()} for ballot in ballots]
    left = fsum((rest - mean(list(row.values()))) ** 2 for row in rests for rest in row.values())
    return max(0.0, alone - left), left, len(ballots) - parts


def _fixed_effects(ballots: Cells, columns: Sequence[int]) -> tuple[dict[int, float], int]:
    """Least squares effects with free offsets, and into how many unconnected parts the ballots fall."""
    place = {column: index for index, column in enumerate(columns)}
    matrix: Matrix = [[0.0] * len(columns) for _ in columns]
    terms: list[list[float]] = [[] for _ in columns]
    for ballot in ballots:
        middle = mean(list(ballot.values()))
        for column, score in ballot.items():
            i = place[column]
            terms[i].append(score - middle)
            matrix[i][i] += 1.0
            for other in ballot:
                matrix[i][place[other]] -= 1.0 / len(ballot)
    factor = Factor(matrix)
    solved = factor.solve([fsum(term) for term in terms])
    return dict(zip(columns, solved, strict=True)), factor.free
