"""Is there anything to judge at all?"""

from __future__ import annotations

import re

from domain.checks.check import CheckResult, PlanFacts
from domain.text.visible import visible


class NotEmpty:
    """Removes a proposal without three visible letters or digits: blanks, punctuation, hidden characters."""

    name = "not_empty"
    hard = True

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Count what people would see."""
        if re.search(r"(?:[^\W_][\W_]*+){3}", visible(proposal_text)):
            return CheckResult(name=self.name, passed=True, score=1.0)
        return CheckResult(
            name=self.name, passed=False, hard=True, score=0.0, reason="there is nothing to read in it"
        )
