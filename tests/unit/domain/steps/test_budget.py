"""The token budget of a deliberation: shares of it are set aside, so that it can not be overdrawn."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.chat import FailureReason
from domain.contract import FailedBody
from domain.entry import AgentFailed
from domain.policy import Policy
from domain.record import DeliberationState
from tests.support.factories import council
from tests.support.stage import Stage


@given(budget=st.integers(1, 400), bound=st.integers(1, 100), size=st.integers(1, 6), order=st.randoms())
def test_proposals_never_overdraw_the_budget_in_whatever_order_workers_ask(
    budget: int, bound: int, size: int, order: Random
) -> None:
    stage = Stage(council("DEV", size=size), policy=Policy(model="tiny", token_budget=budget, max_tokens=bound))
    identity = stage.open()
    agents = [member.agent_id for member in stage.record(identity).deliberation.agents]
    order.shuffle(agents)
    entries = [stage.generate(identity, agent_id) for agent_id in agents]
    spendable = sum(request.max_tokens for request in stage.model.requests)
    assert budget - bound < spendable <= budget or spendable == size * bound
    refused = [entry for entry in entries if isinstance(entry, AgentFailed)]
    assert len(refused) == size - len(stage.model.requests)
    assert all(entry.reason is FailureReason.BUDGET and f"{budget} tokens" in entry.detail for entry in refused)


def test_the_budget_ends_what_tokens_no_longer_allow() -> None:
    stage = Stage(council("DEV"), policy=Policy(model="tiny", max_tokens=25, token_budget=250))
    record = stage.play()
    assert len(record.proposals()) == 3
    owing = [cast for cast in record.ballots() if cast.owed]
    assert {reason for cast in owing for reason in cast.owed} == {FailureReason.BUDGET}
    assert sum(len(cast.scores) for cast in record.ballots()) > 0
    assert "250 tokens" in owing[0].detail


def test_a_budget_that_holds_too_few_proposals_fails_with_the_reason_of_each() -> None:
    stage = Stage(council("DEV"), policy=Policy(model="tiny", max_tokens=25, token_budget=49))
    record = stage.play()
    assert record.state is DeliberationState.FAILED
    (body,) = stage.news.bodies(FailedBody)
    assert "1 of 3 agents" in body.reason
    assert [row.reason for row in body.failures] == ["budget", "budget"]
    assert all("raise token_budget" in row.detail for row in body.failures)
