"""How agents have reviewed over many deliberations: a fold over rankings, kept by whoever has a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from domain.ranking.result import Ranking, ReviewerReport
from domain.value import Value

_PRIOR = 5.0  # deliberations' worth of good record that a newcomer is credited with


class Mean(Value):
    """A running mean that knows how much it rests on."""

    count: int = Field(default=0, ge=0)
    value: float = 0.0

    def with_value(self, value: float | None) -> Mean:
        """Take in one more observation; None is no observation."""
        if value is None:
            return self
        return Mean(count=self.count + 1, value=self.value + (value - self.value) / (self.count + 1))


class ReviewerHistory(Value):
    """One agent's record as a reviewer. Self-preference isn't in it: scores of own proposals are never read."""

    deliberations: int = Field(default=0, ge=0)
    silent: int = Field(default=0, ge=0)
    """Deliberations in which it scored nothing."""
    severity: Mean = Mean()
    """Mean offset in score points; above 0 lenient, below severe."""
    swap_consistency: Mean = Mean()
    agreement: Mean = Mean()

    def with_report(self, report: ReviewerReport) -> ReviewerHistory:
        """Take in what one ranking says of this agent."""
        return ReviewerHistory(
            deliberations=self.deliberations + 1,
            silent=self.silent + (report.scored == 0),
            severity=self.severity.with_value(report.offset),
            swap_consistency=self.swap_consistency.with_value(report.swap_consistency),
            agreement=self.agreement.with_value(report.agreement),
        )

    @property
    def weight(self) -> float:
        """1 for steady reviewers down to 0 for those whose passes agree no better than a coin.

        Shrunk towards 1, so that a few unlucky deliberations silence nobody.
        """
        steady = max(0.0, 2 * self.swap_consistency.value - 1)
        return (_PRIOR + steady * self.swap_consistency.count) / (_PRIOR + self.swap_consistency.count)


class Reliability(Value):
    """Every agent's record."""

    agents: Mapping[str, ReviewerHistory] = Field(default_factory=dict)

    def weights(self, reviewers: Sequence[str], floor: float) -> list[float]:
        """One weight per reviewer, at least `floor`; 1 for those without a record."""
        return [max(floor, self.agents.get(name, ReviewerHistory()).weight) for name in reviewers]


def update(reliability: Reliability, ranking: Ranking) -> Reliability:
    """Take in one ranking. Pure; the caller sees to it that each deliberation is taken in once."""
    agents = dict(reliability.agents)
    for report in ranking.reviewers:
        agents[report.reviewer] = agents.get(report.reviewer, ReviewerHistory()).with_report(report)
    return Reliability(agents=dict(sorted(agents.items())))
