"""What a said probability is worth, learned from where it was right: an installation's own correction. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, fsum, log

from pydantic import Field

from domain.value import OpenValue

LEAST_SLOPE = 0.1
"""A probability said higher never becomes one said lower, whatever a few verdicts hold."""
_EDGE = 1e-3  # said 0 and 1 are taken as this near to them
_PRIOR = 2.5  # precision of both parameters: the information of ten verdicts at probability ½, 10 · ¼
_STEPS = 50


class Calibration(OpenValue):
    """logit(calibrated) = intercept + slope · logit(said). The default changes nothing."""

    intercept: float = Field(default=0.0, allow_inf_nan=False)
    slope: float = Field(default=1.0, ge=LEAST_SLOPE, allow_inf_nan=False)
    verdicts: int = Field(default=0, ge=0)
    """How many verdicts it was learned from."""

    def apply(self, said: float) -> float:
        """Return what a said probability is worth, strictly increasing between 0.001 and 0.999."""
        if (self.intercept, self.slope) == (0.0, 1.0):
            return said
        return logistic(self.intercept + self.slope * logit(said))

    def undo(self, calibrated: float) -> float:
        """Return what was said before `apply`: verdicts on calibrated decisions are learned from by it."""
        if (self.intercept, self.slope) == (0.0, 1.0):
            return calibrated
        return logistic((logit(calibrated) - self.intercept) / self.slope)


def calibrate(pairs: Iterable[tuple[float, bool]]) -> Calibration:
    """Learn from pairs of (probability said before any calibration, whether it was right).

    Platt scaling (Advances in Large Margin Classifiers, 1999) on the logit with a normal prior round "change
    nothing", worth ten verdicts: no pair leaves every probability as it was, hundreds outweigh the prior. The
    penalised likelihood is concave, so Newton's steps find its top. The order of the pairs does not matter.
    """
    rows = [(logit(said), float(right)) for said, right in pairs]
    intercept, slope = _solve(rows)
    if slope < LEAST_SLOPE:
        intercept, slope = _solve(rows, LEAST_SLOPE)
    return Calibration(intercept=round(intercept, 10) + 0.0, slope=round(slope, 10), verdicts=len(rows))


def _solve(rows: list[tuple[float, float]], fixed: float | None = None) -> tuple[float, float]:
    """Newton's steps; a fixed slope stays."""
    a, b = 0.0, 1.0 if fixed is None else fixed
    for _ in range(_STEPS):
        expected = [logistic(a + b * x) for x, _ in rows]
        misses = [p - right for p, (_, right) in zip(expected, rows, strict=True)]
        spread = [p * (1 - p) for p in expected]
        by_a = fsum(misses) + _PRIOR * a
        by_b = fsum(m * x for m, (x, _) in zip(misses, rows, strict=True)) + _PRIOR * (b - 1)
        aa = fsum(spread) + _PRIOR
        ab = fsum(v * x for v, (x, _) in zip(spread, rows, strict=True))
        bb = fsum(v * x * x for v, (x, _) in zip(spread, rows, strict=True)) + _PRIOR
        if fixed is not None:
            step_a, step_b = by_a / aa, 0.0
        else:
            det = aa * bb - ab * ab
            step_a, step_b = (bb * by_a - ab * by_b) / det, (aa * by_b - ab * by_a) / det
        # A whole step may overshoot where the likelihood is nearly flat, so none is longer than 1.
        length = max(1.0, abs(step_a), abs(step_b))
        a, b = a - step_a / length, b - step_b / length
        if max(abs(step_a), abs(step_b)) < 1e-12:
            break
    return a, b


def logit(probability: float) -> float:
    """Log odds, of a probability taken within 0.001 and 0.999."""
    inside = min(1 - _EDGE, max(_EDGE, probability))
    return log(inside / (1 - inside))


def logistic(odds: float) -> float:
    """The probability with these log odds."""
    return 1 / (1 + exp(-odds)) if odds >= 0 else exp(odds) / (1 + exp(odds))
