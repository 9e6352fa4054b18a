"""A row says what the decision says, and a filter finds rows by each of its fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.policy import Policy
from domain.prices import Price, PriceList
from domain.record import DeliberationState
from domain.views.listing import ListFilter, listed
from tests.support import factories as make
from tests.support.factories import MOMENT
from tests.support.stage import Stage, decision_of


def test_a_decided_row_says_what_the_decision_says() -> None:
    stage = Stage(make.council("DEV"), policy=Policy(model="tiny"))
    record = stage.play()
    row, decision = listed(record, stage.clock.now()), decision_of(record)
    assert decision.winner is not None
    assert (row.proposal_id, row.title) == (decision.winner.proposal_id, record.deliberation.plan.title)
    assert (row.stability, row.p_winner) == (decision.stability, decision.p_winner)
    assert row.stability is not None
    assert row.kendall_w == decision.agreement.kendall_w
    assert row.tokens == decision.usage.prompt_tokens + decision.usage.completion_tokens > 0
    assert ("tied" in row.flags, row.stage) == (decision.tied, "")


def test_an_ended_row_says_what_it_cost() -> None:
    prices = PriceList(prices={"tiny": Price(input=Decimal(1_000_000), output=Decimal(0))}, currency="EUR")
    stage = Stage(make.council("DEV"), policy=Policy(model="tiny"), prices=prices)
    record = stage.play()
    row = listed(record, stage.clock.now())
    assert row.cost == f"{decision_of(record).usage.prompt_tokens:,}.00 EUR"
    assert listed(make.record(make.proposed("agent-1")), MOMENT).cost == ""


def test_the_first_rankings_probability_was_stability() -> None:
    ranking = make.ranking(p_winner=0.9, independent_voices=None, stability=None)
    row = listed(make.record(make.closed(result=make.completed_body(ranking=ranking))), MOMENT)
    assert (row.stability, row.p_winner) == (0.9, None)


def test_an_open_row_says_how_far_it_is() -> None:
    row = listed(make.record(make.proposed("agent-1"), make.proposed("agent-2")), MOMENT + 3)
    assert (row.stage, row.done, row.total, row.duration_s) == ("proposals", 2, 3, 3.0)
    assert (row.stability, row.kendall_w, row.winner) == (None, None, None)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, True),
        ({"state": DeliberationState.PROPOSING}, True),
        ({"state": DeliberationState.DECIDED}, False),
        ({"role": "dev"}, True),
        ({"role": "QA"}, False),
        ({"plan": "plan-7"}, True),
        ({"plan": "plan"}, False),
        ({"text": "RESET"}, True),
        ({"text": "story-9"}, True),
        ({"text": "billing"}, False),
        ({"since": MOMENT}, True),
        ({"since": MOMENT + 1}, False),
        ({"until": MOMENT + 1}, True),
        ({"until": MOMENT}, False),
    ],
)
def test_a_filter_looks_at_each_field(wanted: dict[str, Any], found: bool) -> None:
    of = make.deliberation(make.plan(title="Reset passwords", plan_id="plan-7", story_id="story-9"))
    assert ListFilter(**wanted).matches(listed(make.record(of=of), MOMENT)) is found
