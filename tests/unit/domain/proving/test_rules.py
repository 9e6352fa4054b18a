"""What each rule takes, by hand and against an oracle that lists every choice."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given

from domain.proving.outcome import SingleAgent, TaskOutcome
from domain.proving.rules import (
    COUNCIL,
    FIRST,
    LONGEST,
    ORACLE,
    RANDOM,
    REVIEWER,
    SINGLE,
    rules_for,
    tokens_of,
)
from tests.unit.domain.proving.outcomes import drawn_outcomes, outcome, proposal


def test_every_rule_takes_what_its_name_says() -> None:
    proposals = [
        proposal("a", right=False, characters=10),
        proposal("b", right=True, characters=20),
        proposal("c", right=False, characters=30),
        proposal("d", right=True, characters=5),
    ]
    scores = {"a": {"b/0": 7.0, "c/0": 7.0, "d/0": 2.0}, "judge": {"a/0": 1.0, "b/0": 2.0, "c/0": 3.0, "d/0": 9.0}}
    single = SingleAgent(right=0.5, samples=2, tokens=7, seconds=1.0)
    seen = outcome(proposals, scores=scores, winner="d/0", single=single)
    shares = {name: rule(seen) for name, rule in rules_for([seen]).items()}
    assert shares == {
        FIRST: 0.0,
        RANDOM: 0.5,
        REVIEWER: pytest.approx((0.5 + 1.0) / 2),
        COUNCIL: 1.0,
        LONGEST: 0.0,
        ORACLE: 1.0,
        SINGLE: 0.5,
    }


def test_a_task_without_proposals_is_wrong_by_every_rule() -> None:
    seen = outcome([], winner=None)
    assert {rule(seen) for rule in rules_for([seen]).values()} == {0.0}


def test_reviewers_of_two_models_have_a_row_each() -> None:
    proposals = [proposal("a", right=True), proposal("b")]
    seen = outcome(
        proposals,
        scores={"r1": {"a/0": 9.0, "b/0": 1.0}, "r2": {"a/0": 1.0, "b/0": 9.0}},
        winner="a/0",
        models={"r1": "large", "r2": "small"},
    )
    rules = rules_for([seen])
    assert rules["one reviewer of large"](seen) == 1.0
    assert rules["one reviewer of small"](seen) == 0.0
    assert rules[REVIEWER](seen) == 0.5


def test_a_council_of_one_model_has_no_row_for_it() -> None:
    seen = outcome([proposal("a")], models={"r1": "small", "r2": "small"})
    assert [name for name in rules_for([seen]) if name.startswith(f"{REVIEWER} of")] == []


def test_tokens_are_those_that_the_rule_needs() -> None:
    proposals = [proposal("a", tokens=10), proposal("b", tokens=30)]
    seen = outcome(
        proposals,
        review_tokens={"a": 100, "judge": 300},
        models={"a": "small", "judge": "large"},
        tokens=999,
        single=SingleAgent(right=1.0, samples=3, tokens=900, seconds=2.0),
    )
    expected = {FIRST: 10, RANDOM: 20, REVIEWER: 240, COUNCIL: 999, LONGEST: 40, ORACLE: 40, SINGLE: 900}
    assert {rule: tokens_of(rule, seen) for rule in expected} == expected
    assert tokens_of("one reviewer of large", seen) == 340


@given(drawn_outcomes())
def test_a_reviewer_is_worth_the_mean_over_all_that_it_may_take(outcomes: list[TaskOutcome]) -> None:
    for seen in outcomes:
        right = {one.proposal_id: one.right for one in seen.proposals}
        choices = []
        for scores in seen.scores.values():
            tops = [one for one in scores if scores[one] == max(scores.values())] or list(right)
            choices.append(fmean(map(right.__getitem__, tops)) if tops else 0.0)
        chance = fmean(right.values()) if right else 0.0
        assert rules_for([seen])[REVIEWER](seen) == pytest.approx(fmean(choices) if choices else chance)


@given(drawn_outcomes())
def test_no_rule_on_the_same_proposals_beats_the_oracle(outcomes: list[TaskOutcome]) -> None:
    for seen in outcomes:
        rules = rules_for([seen])
        best = rules[ORACLE](seen)
        assert all(0 <= rule(seen) <= best for name, rule in rules.items() if name != SINGLE)
