"""Does the proposal repeat what its author was told, instead of proposing something?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from domain.checks.check import CheckResult, PlanFacts
from domain.text.scripts import UNSPACED
from domain.text.visible import visible

_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
Run = tuple[str, ...]


class Echo:
    """Lowers the score of a proposal that repeats its author's instructions or persona, or is mostly the plan.

    Instructions and personas are no part of a proposal: eight of their words in a row are enough, or a whole text
    of five to seven, unless the plan says the same. Plans are quoted, for good reasons: only a text more than half
    of which lies in runs of twelve words of the plan, or of the instructions, says too little of its own. Fewer
    than twenty-four words are not measured. Punctuation and case count for nothing.
    """

    name = "echo"
    hard = False

    def __init__(self, *, told: int = 8, least_told: int = 5, quoted: int = 12, allowed: float = 0.5) -> None:
        """`told` and `quoted` are lengths of runs in words, `allowed` the share up to which a text may quote."""
        self.told = told
        self.least_told = least_told
        self.quoted = quoted
        self.allowed = allowed

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Say what is repeated; the score is the share of the text's own words, at most 0.5 for instructions."""
        proposal = _words(proposal_text)
        plan = _words("\n".join(_texts(plan_facts)))
        instructions = [_words(text) for text in plan_facts.instructions]
        leaked = self._repeats(proposal, instructions, plan)
        share = quoted_share(proposal, [plan, *instructions], self.quoted)
        reasons = ["it repeats its author's instructions or persona"] if leaked else []
        reasons += [f"{share:.0%} of it stands in the plan or the instructions"] if share > self.allowed else []
        if not reasons:
            return CheckResult(name=self.name, passed=True, score=1.0)
        score = min(1 - share, 0.5) if leaked else 1 - share
        return CheckResult(name=self.name, passed=False, score=round(score, 4), reason="; ".join(reasons))

    def _repeats(self, words: Sequence[str], instructions: Iterable[Sequence[str]], plan: Sequence[str]) -> bool:
        told: dict[int, set[Run]] = {}
        for instruction in instructions:
            length = min(self.told, len(instruction))
            told.setdefault(length, set()).update(_runs(instruction, length))
        return any(
            not (told[length] & _runs(words, length)).issubset(_runs(plan, length))
            for length in told
            if length >= self.least_told
        )


def quoted_share(words: Sequence[str], sources: Iterable[Sequence[str]], length: int) -> float:
    """Return the share of words that lie in a run of that length which a source has too; 0 for a short text."""
    if len(words) < 2 * length:
        return 0.0
    known = set[Run]().union(*(_runs(source, length) for source in sources))
    quoted = covered_to = 0
    for start in range(len(words) - length + 1):
        if tuple(words[start : start + length]) in known:
            quoted += start + length - max(start, covered_to)
            covered_to = start + length
    return quoted / len(words)


def _texts(facts: PlanFacts) -> tuple[str, ...]:
    return (facts.title, facts.description, *facts.acceptance_criteria, *facts.requirements)


def _words(text: str) -> list[str]:
    return _WORD.findall(visible(text).casefold())


def _runs(words: Sequence[str], length: int) -> set[Run]:
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
