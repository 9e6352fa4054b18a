"""What a plan may ask for at most, and the sentence it gets for more."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domain.limits import CONTRACT, Limits
from domain.opening import open_deliberation
from domain.plan import MOST_TEXTS
from domain.policy import Policy
from tests.support.factories import MOMENT, council, plan, plan_request

TIGHT = Limits(plan_chars=300, roles=2, agents=3, rounds=1, max_tokens=100, deadline_s=60)


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ({"description": "x" * 301}, ("characters", "300 are allowed", "shorten")),
        ({"acceptance_criteria": ("x" * 150, "y" * 151)}, ("characters", "300 are allowed")),
        ({"constraints": {"requirements": ["x" * 301]}}, ("characters",)),
        ({"po_notes": [{"text": "x" * 150}, "y" * 151]}, ("characters",)),
        ({"constraints": {"rubric": {"fit": "x" * 301}}}, ("characters",)),
        ({"constraints": {"output_schema": {"description": "x" * 301}}}, ("characters",)),
        ({"roles": ("A", "B", "C")}, ("roles", "3 roles, 2 are allowed")),
        ({"constraints": {"rounds": 2}}, ("constraints.rounds", "2, 1 are allowed")),
        ({"constraints": {"num_agents": 4}}, ("constraints.num_agents", "4, 3 are allowed")),
        ({"constraints": {"max_tokens": 101}}, ("constraints.max_tokens", "101, 100 are allowed")),
        ({"constraints": {"deadline_s": 60.5}}, ("constraints.deadline_s", "60.5, 60 are allowed")),
    ],
)
def test_too_much_is_refused_with_the_field_the_bound_and_the_remedy(
    asks: dict[str, Any], words: tuple[str, ...]
) -> None:
    (sentence,) = TIGHT.refusals(plan(**asks))
    assert all(word in sentence for word in words), sentence
    assert CONTRACT.refusals(plan(**asks)) == ()


@pytest.mark.parametrize(
    "asks", [{"constraints": {"requirements": [""] * MOST_TEXTS}}, {"notes": ["a"] * MOST_TEXTS}]
)
def test_short_texts_make_no_long_prompt_by_their_number(asks: dict[str, Any]) -> None:
    (sentence,) = CONTRACT.refusals(plan(**asks))
    assert re.fullmatch(r"the plan has 20\d\d texts, 2000 are allowed; join some of them", sentence)


def test_everything_that_is_too_much_gets_a_sentence() -> None:
    sentences = TIGHT.refusals(plan(roles=("A", "B", "C"), constraints={"rounds": 2, "max_tokens": 101}))
    assert [sentence.split()[1] for sentence in sentences] == [
        "roles",
        "constraints.rounds",
        "constraints.max_tokens",
    ]


def test_what_keeps_within_every_bound_is_let_in() -> None:
    constraints = {"rounds": 1, "num_agents": 3, "max_tokens": 100, "deadline_s": 60.0}
    assert TIGHT.refusals(plan(roles=("A", "B"), constraints=constraints)) == ()


def test_a_council_larger_than_allowed_sends_its_first_agents() -> None:
    policy = Policy(model="tiny", limits=Limits(agents=2))
    opened = open_deliberation(plan_request(), council("DEV", size=5), (), policy, now=MOMENT)
    assert [agent.agent_id for agent in opened.agents] == ["agent-1", "agent-2"]
