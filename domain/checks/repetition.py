"""Does the text go round in circles? Small models do when they have nothing left to say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain.checks.check import CheckResult, PlanFacts
from domain.text.scripts import UNSPACED
from domain.text.visible import visible

_TOKEN = re.compile(rf"[{UNSPACED}]|\d+|[^\W\d{UNSPACED}]{{1,16}}|([^\w\s])\1*")
_WINDOW = 32
"""Tokens in a row that must be the same: lists, tables and test code repeat shorter runs with a word changed."""


class Repetition:
    """Removes a text that is a loop and little else; lowers the score of one that repeats itself a lot.

    Measured is the share of tokens inside a run of thirty-two that stood in the text before, numbers taken as
    equal ("Step 12: do it", "Step 13: do it"). Fewer than sixty tokens are not judged. Texts of SmolLM2-135M
    that loop reach 0.5 to 0.9; sound texts and templated lists stay below 0.1.
    """

    name = "repetition"
    hard = True

    def __init__(self, *, allowed: float = 0.35, loop: float = 0.8, least: int = 60) -> None:
        """`allowed` is the share up to which a text passes, `loop` the share from which it is removed."""
        self.allowed = allowed
        self.loop = loop
        self.least = least

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Measure the share; the score is what is left of the text without its repeats."""
        tokens = _tokens(visible(proposal_text))
        share = repeated_share(tokens) if len(tokens) >= self.least else 0.0
        if share <= self.allowed:
            return CheckResult(name=self.name, passed=True, score=1.0)
        pure = share >= self.loop
        reason = f"{share:.0%} of it repeats what it said before" + (": a loop" if pure else "")
        return CheckResult(name=self.name, passed=False, hard=pure, score=round(1 - share, 4), reason=reason)


def repeated_share(tokens: Sequence[str], *, window: int = _WINDOW) -> float:
    """Return the share of tokens that lie in a window whose tokens stood in the text before, in the same order."""
    earlier: set[tuple[str, ...]] = set()
    repeated = covered_to = 0
    for start in range(len(tokens) - window + 1):
        run = tuple(tokens[start : start + window])
        if run in earlier:
            repeated += start + window - max(start, covered_to)
            covered_to = start + window
        earlier.add(run)
    return repeated / len(tokens) if tokens else 0.0


def _tokens(text: str) -> list[str]:
    tokens = (match[0] for match in _TOKEN.finditer(text.casefold()))
    return ["#" if token.isdigit() else token[0] if not token[0].isalnum() else token for token in tokens]
