"""Does the proposal mention every acceptance criterion? A question of words, not of quality."""

from __future__ import annotations

import re

from domain.checks.check import CheckResult, PlanFacts
from domain.text.scripts import UNSPACED
from domain.text.visible import visible

_TERM = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
_STEM = 5
"""Letters of a word that count: enough for "valid|ates", "valid|ation"; a stemmer per language is not worth it."""
_FILLER = frozenset(
    {"about", "after", "all", "also", "and", "any", "are", "before", "can", "for", "from", "given", "has", "have"}
    | {"into", "its", "may", "must", "not", "only", "shall", "should", "such", "than", "that", "the", "their"}
    | {"then", "there", "they", "this", "user", "users", "when", "where", "which", "will", "with", "you"}
)


class AcceptanceCriteria:
    """Lowers the score by the share of criteria the proposal does not mention.

    A criterion counts as addressed when at least half of its telling words (three letters or more, cut to five;
    numbers as they are; pairs of characters in scripts without blanks) stand in the proposal. Structural: that
    it is met well is for reviewers to say.
    """

    name = "acceptance_criteria"
    hard = False

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Name the criteria that are missing by their numbers in the plan, the first being 1."""
        criteria = [terms(visible(criterion)) for criterion in plan_facts.acceptance_criteria]
        stated = [(number, words) for number, words in enumerate(criteria, start=1) if words]
        if not stated:
            return CheckResult(name=self.name, passed=True, score=1.0, reason="the plan states none")
        proposal_words = terms(visible(proposal_text))
        missing = [number for number, words in stated if 2 * len(words & proposal_words) < len(words)]
        if not missing:
            return CheckResult(name=self.name, passed=True, score=1.0)
        numbers = ", ".join(map(str, missing[:10])) + (" …" if len(missing) > 10 else "")
        return CheckResult(
            name=self.name,
            passed=False,
            score=round(1 - len(missing) / len(stated), 4),
            reason=f"says nothing of {len(missing)} of {len(stated)} acceptance criteria: number {numbers}",
        )


def terms(text: str) -> frozenset[str]:
    """Return the telling words of a text, stemmed by cutting."""
    words: set[str] = set()
    for word in _TERM.findall(text.casefold()):
        if re.match(rf"[{UNSPACED}]", word):
            words.update(word[start : start + 2] for start in range(max(1, len(word) - 1)))
        elif any(map(str.isdigit, word)):
            words.add(word)
        elif len(word) >= 3 and word not in _FILLER:
            words.add(word[:_STEM])
    return frozenset(words)
