"""What tokens cost, from the price list to events and statistics."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ChatOutcome, ChatRequest, Usage
from domain.contract import CompletedBody
from domain.contract_rows import TotalUsage
from domain.prices import Cost, Price, PriceList, money_of
from domain.statistics import statistics
from domain.views.money import cost_line, money, sums
from tests.support.factories import agent, council, plan, plan_request
from tests.support.scripted_model import answer
from tests.support.stage import Stage, decision_of

CHEAP = Price(input=Decimal("0.1"), output=Decimal("0.4"))
DEAR = Price(input=Decimal(3), output=Decimal(15), cached=Decimal("0.3"))
TWO = PriceList(prices={"tiny": CHEAP, "large": DEAR}, currency="EUR")


@pytest.mark.parametrize(
    ("price", "usage", "amount"),
    [
        (CHEAP, Usage(prompt_tokens=1_000_000), "0.1"),
        (CHEAP, Usage(completion_tokens=1_000_000), "0.4"),
        (CHEAP, Usage(prompt_tokens=10, cached_tokens=10), "0.000001"),
        (DEAR, Usage(prompt_tokens=10, cached_tokens=9), "0.0000057"),
        (DEAR, Usage(completion_tokens=7, reasoning_tokens=5), "0.000105"),
        (DEAR, Usage(prompt_tokens=1, cached_tokens=9), "0.0000003"),
    ],
)
def test_a_price_counts_every_token_once(price: Price, usage: Usage, amount: str) -> None:
    assert price.of(usage) == Decimal(amount)


def test_without_prices_nothing_is_said_of_cost() -> None:
    assert PriceList().cost([("tiny", Usage(prompt_tokens=5))]) is None


def test_a_model_without_a_price_is_named_by_its_tokens() -> None:
    cost = TWO.cost([("tiny", Usage(prompt_tokens=10)), ("other", Usage(prompt_tokens=5, completion_tokens=2))])
    assert cost == Cost(amount=Decimal("0.000001"), currency="EUR", unpriced_tokens=7)


@given(st.lists(st.tuples(st.sampled_from(["tiny", "large"]), st.integers(0, 10**7)), max_size=20))
def test_a_sum_does_not_depend_on_its_order(calls: list[tuple[str, int]]) -> None:
    usages = [(model, Usage(prompt_tokens=tokens)) for model, tokens in calls]
    assert TWO.cost(usages) == TWO.cost(usages[::-1])


@given(st.integers(0, 10**15))
def test_what_is_counted_is_the_amount_itself(billionths: int) -> None:
    cost = Cost(amount=money_of(billionths), currency="EUR")
    assert cost.billionths == billionths
    assert Cost.model_validate_json(cost.model_dump_json()) == cost


@pytest.mark.parametrize("billionths", [0, 1, 312, 10**10])
def test_json_holds_an_amount_as_a_plain_decimal(billionths: int) -> None:
    text = json.loads(Cost(amount=money_of(billionths), currency="EUR").model_dump_json())["amount"]
    assert text == f"{billionths // 10**9}.{billionths % 10**9:09}"


def mixed(prices: PriceList) -> Stage:
    agents = (agent("agent-1"), agent("agent-2", model="large"), agent("agent-3", model="free"))
    stage = Stage(council("DEV", agents=agents), council("QA"), prices=prices)
    stage.model.follow(priced)
    return stage


def priced(request: ChatRequest, before: int) -> ChatOutcome | None:
    if request.form is not None:
        return None
    usage = {"prompt_tokens": 100, "cached_tokens": 40, "completion_tokens": 10}
    return answer(request, f"A step of {request.agent_id}.").model_copy(update=usage)


def usage_of(stage: Stage, deliberation_id: str) -> TotalUsage:
    closed = stage.record(deliberation_id).closed
    assert closed is not None
    assert closed.result.usage is not None
    return closed.result.usage


def test_a_decision_says_what_each_agent_and_all_together_cost() -> None:
    stage = mixed(TWO)
    decision = decision_of(stage.play(plan_request(plan(roles=("DEV",)))))
    rows = {agent_id: row.cost for agent_id, row in decision.usage.agents.items() if row.cost}
    assert rows["agent-1"] == TWO.cost([("tiny", decision.usage.agents["agent-1"].usage)])
    assert rows["agent-2"].amount >= Decimal("0.000342")
    assert rows["agent-3"].unpriced_tokens >= 110
    total = decision.usage.cost
    assert total is not None
    assert total.amount == sum(row.amount for row in rows.values())
    assert total.unpriced_tokens == sum(row.unpriced_tokens for row in rows.values())


def test_thoughts_are_among_the_tokens_of_all_together() -> None:
    stage = mixed(TWO)
    stage.model.follow(lambda request, before: thinking(priced(request, before)))
    usage = decision_of(stage.play(plan_request(plan(roles=("DEV",))))).usage
    assert usage.reasoning_tokens == sum(row.usage.reasoning_tokens for row in usage.agents.values()) > 0


def thinking(outcome: ChatOutcome | None) -> ChatOutcome | None:
    return outcome.model_copy(update={"reasoning_tokens": 5}) if outcome else None


def test_a_stored_decision_keeps_its_price_when_prices_change() -> None:
    stage = mixed(TWO)
    record = stage.play(plan_request(plan(roles=("DEV",))))
    stored = CompletedBody.model_validate_json(decision_of(record).model_dump_json())
    assert stored.usage.cost == decision_of(record).usage.cost != PriceList(prices={"tiny": DEAR}).cost(())


def test_what_was_spent_is_told_where_there_is_no_decision_either() -> None:
    stage = mixed(TWO)
    stage.model.follow(lambda request, before: None if request.form else answer(request, " "))
    failed = stage.play(plan_request(plan(roles=("DEV",)))).deliberation.deliberation_id
    stage.model.follow(priced)
    cancelled = stage.open(plan_request(plan(roles=("QA",))))
    stage.propose(cancelled)
    stage.cancel(cancelled, "dropped")
    assert usage_of(stage, failed).cost is not None
    assert usage_of(stage, cancelled).cost == Cost(amount=Decimal("0.000042"), currency="EUR")


def test_statistics_add_up_what_events_told_currency_by_currency() -> None:
    stage = mixed(TWO)
    records = [stage.play(plan_request(plan(roles=(role,)))) for role in ("DEV", "QA")]
    stage.services = replace(stage.services, prices=TWO.model_copy(update={"currency": "USD"}))
    records.append(stage.play(plan_request(plan(roles=("QA",)))))
    figures = statistics(stage.services.deliberations.counts())
    costs = [cost for record in records if (cost := decision_of(record).usage.cost) is not None]
    assert figures.total.cost == {"EUR": costs[0].amount + costs[1].amount, "USD": costs[2].amount}
    assert figures.roles["QA"].cost == {"EUR": costs[1].amount, "USD": costs[2].amount}
    assert figures.total.unpriced_tokens == sum(cost.unpriced_tokens for cost in costs) > 0


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.000000000", "0 USD"),
        ("0.000312400", "0.000312 USD"),
        ("0.000000001", "0.000000001 USD"),
        ("0.25", "0.250 USD"),
        ("1234.567", "1,234.57 USD"),
    ],
)
def test_people_read_the_digits_that_count(amount: str, text: str) -> None:
    assert money(Decimal(amount), "USD") == text


def test_people_are_told_what_is_left_out_and_which_currency_is_which() -> None:
    assert cost_line(Cost(amount=Decimal(2), currency="EUR")) == "2.00 EUR"
    cost = Cost(amount=Decimal(2), currency="EUR", unpriced_tokens=1200)
    assert cost_line(cost) == "2.00 EUR, without 1,200 tokens"
    assert sums({"EUR": Decimal(2), "USD": Decimal("0.5")}) == "2.00 EUR + 0.500 USD"
    assert sums({}) == "-"
