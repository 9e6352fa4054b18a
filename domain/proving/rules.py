"""Ways to take one of a council's proposals: the share of tasks that each gets right, and what it spends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum

from domain.proving.outcome import CheckedProposal, TaskOutcome

FIRST, RANDOM, REVIEWER, COUNCIL = "first agent", "random pick", "one reviewer", "council"
LONGEST, ORACLE, SINGLE = "longest", "oracle", "single agent, same tokens"
_SAME = 1e-9  # scores that differ by less are equal

Rule = Callable[[TaskOutcome], float]
"""The probability that what it takes is right: ties are drawn by lot. 0 where it has nothing to take."""


def first_agent(outcome: TaskOutcome) -> float:
    """Take the proposal of the council's first agent that has one."""
    return float(outcome.proposals[0].right) if outcome.proposals else 0.0


def random_pick(outcome: TaskOutcome) -> float:
    """Take any proposal."""
    return _share(outcome.proposals)


def longest(outcome: TaskOutcome) -> float:
    """Take the proposal with the most characters."""
    return _share(_best(outcome.proposals, {p.proposal_id: p.characters for p in outcome.proposals}))


def oracle(outcome: TaskOutcome) -> float:
    """Take a right proposal if there is any."""
    return float(any(proposal.right for proposal in outcome.proposals))


def council(outcome: TaskOutcome) -> float:
    """Take what the council decided."""
    return float(outcome.winner_right)


def one_reviewer(outcome: TaskOutcome) -> float:
    """Take what one reviewer's ballots put first, the reviewer drawn by lot; any proposal where none voted."""
    picks = [_share(_best(outcome.proposals, scores)) for scores in outcome.scores.values()]
    return fsum(picks) / len(picks) if picks else random_pick(outcome)


def reviewers_of(model: str) -> Rule:
    """Return the rule that takes what one of this model's reviewers puts first."""

    def rule(outcome: TaskOutcome) -> float:
        kept = {name: scores for name, scores in outcome.scores.items() if outcome.models.get(name) == model}
        return one_reviewer(outcome.model_copy(update={"scores": kept}))

    return rule


def single_agent(outcome: TaskOutcome) -> float:
    """Take the single agent's answer; 0 where it gave none."""
    return outcome.single.right if outcome.single else 0.0


def rules_for(outcomes: Sequence[TaskOutcome]) -> Mapping[str, Rule]:
    """Name the rules that these outcomes allow, in the order in which they are printed."""
    rules: dict[str, Rule] = {FIRST: first_agent, RANDOM: random_pick, REVIEWER: one_reviewer}
    models = sorted({model for outcome in outcomes for model in outcome.models.values()})
    if len(models) > 1:
        rules |= {f"{REVIEWER} of {model}": reviewers_of(model) for model in models}
    rules |= {COUNCIL: council, LONGEST: longest, ORACLE: oracle}
    if any(outcome.single for outcome in outcomes):
        rules[SINGLE] = single_agent
    return rules


def tokens_of(rule: str, outcome: TaskOutcome) -> float:
    """Return the tokens that taking by this rule costs; the oracle's check costs none."""
    proposals = [proposal.tokens for proposal in outcome.proposals]
    if rule == FIRST:
        return float(proposals[0]) if proposals else 0.0
    if rule == RANDOM:
        return fsum(proposals) / max(1, len(proposals))
    if rule == COUNCIL:
        return float(outcome.tokens)
    if rule == SINGLE:
        return float(outcome.single.tokens) if outcome.single else 0.0
    return fsum(proposals) + _a_review(rule, outcome)


def _a_review(rule: str, outcome: TaskOutcome) -> float:
    """Return the mean tokens of one reviewer, among those that the rule draws from."""
    if not rule.startswith(REVIEWER):
        return 0.0
    spent = [
        tokens
        for reviewer, tokens in outcome.review_tokens.items()
        if rule in (REVIEWER, f"{REVIEWER} of {outcome.models.get(reviewer)}")
    ]
    return fsum(spent) / max(1, len(spent))


def _best(proposals: Sequence[CheckedProposal], sizes: Mapping[str, float]) -> list[CheckedProposal]:
    """Return the proposals of the greatest size; those without one don't count, all where none has one."""
    sized = [proposal for proposal in proposals if proposal.proposal_id in sizes]
    top = max((sizes[proposal.proposal_id] for proposal in sized), default=0.0)
    return [proposal for proposal in sized if top - sizes[proposal.proposal_id] <= _SAME] or list(proposals)


def _share(proposals: Sequence[CheckedProposal]) -> float:
    return fsum(proposal.right for proposal in proposals) / len(proposals) if proposals else 0.0
