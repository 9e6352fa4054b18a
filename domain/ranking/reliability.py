"""How agents have reviewed over many deliberations, and what their ballots count for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from domain.value import OpenValue

_PRIOR = 5.0  # deliberations' worth of good record that a newcomer is credited with


class Mean(OpenValue):
    """A mean that knows how much it rests on."""

    count: int = Field(default=0, ge=0)
    value: float = 0.0


class ReviewerHistory(OpenValue):
    """One agent's record as a reviewer. Self-preference isn't in it: scores of own proposals are never read."""

    deliberations: int = Field(default=0, ge=0)
    silent: int = Field(default=0, ge=0)
    """Deliberations in which it scored nothing."""
    severity: Mean = Mean()
    """Mean offset in score points; above 0 lenient, below severe."""
    swap_consistency: Mean = Mean()
    agreement: Mean = Mean()

    @property
    def weight(self) -> float:
        """1 for steady reviewers down to 0 for those whose passes agree no better than a coin.

        Shrunk towards 1, so that a few unlucky deliberations silence no reviewer.
        """
        steady = max(0.0, 2 * self.swap_consistency.value - 1)
        return (_PRIOR + steady * self.swap_consistency.count) / (_PRIOR + self.swap_consistency.count)


class Reliability(OpenValue):
    """Every agent's record."""

    agents: Mapping[str, ReviewerHistory] = Field(default_factory=dict)

    def weights(self, reviewers: Sequence[str], floor: float) -> list[float]:
        """One weight per reviewer, at least `floor`; 1 for those without a record."""
        return [max(floor, self.agents.get(name, ReviewerHistory()).weight) for name in reviewers]
