"""The whole result: a row per rule, what P(winner) was worth, and whether a goal is met."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import fsum

from domain.proving.gap import RESAMPLES, Interval, mean_interval, recovered_gap, resampled
from domain.proving.outcome import TaskOutcome
from domain.proving.rules import COUNCIL, SINGLE, rules_for, tokens_of
from domain.value import OpenValue

BOUNDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the buckets of P(winner); each holds its lower bound, the last one 1 too."""


class RuleRow(OpenValue):
    """What one rule achieves on the same proposals."""

    rule: str
    right: Interval
    """Share of the tasks that it gets right."""
    gap: Interval
    """Of the way from a random pick to the oracle."""
    tokens: float
    """Mean a task, prompts and answers."""


class Bucket(OpenValue):
    """Decisions that said about the same P(winner)."""

    low: float
    high: float
    decisions: int
    said: float
    """Mean P(winner)."""
    best: float
    """Share in which no proposal was better: the winner is right, or all are wrong."""
    right: float
    """Share in which the winner is right."""


class Proof(OpenValue):
    """What the council, its rivals and its confidence were worth on the same tasks."""

    tasks: int
    undecided: int
    """Tasks without a decision; they count as wrong for the council."""
    rules: tuple[RuleRow, ...]
    telling: int = 0
    """Tasks with right and wrong proposals; on all others every way to take one does the same."""
    gain: Interval | None
    """Share right, council less single agent, task by task; None where the single agent was not asked."""
    council_seconds: float
    single_seconds: float | None
    reliability: tuple[Bucket, ...]
    """Buckets that hold decisions, lowest first."""
    unclaimed: int
    """Decisions that claimed no P(winner)."""

    def row(self, rule: str) -> RuleRow:
        """Return a rule's row. Raises LookupError for one that is not there."""
        for row in self.rules:
            if row.rule == rule:
                return row
        raise LookupError(f"no rule {rule}")


def proof_of(outcomes: Sequence[TaskOutcome], *, seed: int = 0, resamples: int = RESAMPLES) -> Proof:
    """Compute everything; equal arguments give an equal proof. Raises ValueError without outcomes."""
    if not outcomes:
        raise ValueError("no task has an outcome")
    rules = rules_for(outcomes)
    by_rule = {name: [rule(outcome) for outcome in outcomes] for name, rule in rules.items()}
    draws = resampled(len(outcomes), seed=seed, resamples=resamples)
    singles = [outcome.single for outcome in outcomes if outcome.single]
    decided = [outcome for outcome in outcomes if outcome.winner is not None]
    return Proof(
        tasks=len(outcomes),
        undecided=len(outcomes) - len(decided),
        telling=sum(outcome.is_telling for outcome in outcomes),
        rules=tuple(
            RuleRow(
                rule=name,
                right=mean_interval(values, draws),
                gap=recovered_gap(values, by_rule, draws),
                tokens=fsum(tokens_of(name, outcome) for outcome in outcomes) / len(outcomes),
            )
            for name, values in by_rule.items()
        ),
        gain=mean_interval(_differences(by_rule[COUNCIL], by_rule[SINGLE]), draws) if singles else None,
        council_seconds=fsum(outcome.seconds for outcome in outcomes) / len(outcomes),
        single_seconds=fsum(single.seconds for single in singles) / len(singles) if singles else None,
        reliability=reliability_table(decided),
        unclaimed=sum(outcome.p_winner is None for outcome in decided),
    )


def reliability_table(outcomes: Sequence[TaskOutcome]) -> tuple[Bucket, ...]:
    """Sort decisions by the P(winner) that they said; those that said none are left out."""
    claimed = [(outcome.p_winner, outcome) for outcome in outcomes if outcome.p_winner is not None]
    buckets = []
    for low, high in pairwise(BOUNDS):
        held = [(said, one) for said, one in claimed if low <= said < high or said == high == BOUNDS[-1]]
        if held:
            buckets.append(_bucket(low, high, held))
    return tuple(buckets)


def _bucket(low: float, high: float, held: Sequence[tuple[float, TaskOutcome]]) -> Bucket:
    count = len(held)
    best = [one.winner_right or not any(proposal.right for proposal in one.proposals) for _, one in held]
    return Bucket(
        low=low,
        high=high,
        decisions=count,
        said=fsum(said for said, _ in held) / count,
        best=sum(best) / count,
        right=sum(one.winner_right for _, one in held) / count,
    )


def _differences(left: Sequence[float], right: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(left, right, strict=True)]
