"""Is it long enough to say something and short enough to be read?"""

from __future__ import annotations

from domain.checks.check import CheckResult, PlanFacts
from domain.text.visible import visible


class Length:
    """Lowers the score of a proposal below forty or above twenty thousand visible characters.

    Half a sentence can't answer a plan; forty characters are one short sentence in any script. The upper bound
    is about five thousand tokens: ten times the default bound of an answer, so it catches only floods.
    """

    name = "length"
    hard = False

    def __init__(self, *, shortest: int = 40, longest: int = 20_000) -> None:
        self.shortest = shortest
        self.longest = longest

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Count the characters that show; the score falls in proportion outside the bounds."""
        length = len("".join(visible(proposal_text).split()))
        if length < self.shortest:
            return self._failed(length / self.shortest, f"{length} characters; {self.shortest} are the least")
        if length > self.longest:
            return self._failed(self.longest / length, f"{length} characters; {self.longest} are the most")
        return CheckResult(name=self.name, passed=True, score=1.0)

    def _failed(self, score: float, reason: str) -> CheckResult:
        return CheckResult(name=self.name, passed=False, score=round(score, 4), reason=reason)
