"""From stability to the probability that people would call the winner best, by what it was worth elsewhere."""

from __future__ import annotations

from math import log

from domain.ranking.calibration import logistic, logit

_LEVEL, _EVIDENCE, _RIVALS = 0.22, 0.64, -0.56  # fitted; docs/ranking.md, "How sure"
_LEAST = 0.02  # a bootstrap over a few voices can't tell a share beyond this from none or all


def probability_best(stability: float, *, voices: int, proposals: int) -> float:
    """Return the probability that the winner is best, of two proposals or more, by at least two voices.

    A logistic regression fitted on councils whose best proposal is known (HANNA, PRD's development half, simulated
    ones, each weighing the same; `python -m tests.bench.ranking` fits it again). The stability counts the less the
    fewer voices it rests on, and the more rivals there are the less likely is the first by chance. Of councils
    alike in both, the more stable decision is always the more probable one.
    """
    evidence = (1 - 1 / voices) * logit(min(1 - _LEAST, max(_LEAST, stability)))
    return logistic(_LEVEL + _EVIDENCE * evidence + _RIVALS * log(max(1, proposals - 1)))
