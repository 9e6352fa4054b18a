"""What a deliberation took: the sum over all its model calls, by agent, with its cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from domain.candidates import spared
from domain.chat import Usage
from domain.contract_rows import AgentUsage, TotalUsage
from domain.entry import BallotCast, ModelCall
from domain.prices import PriceList
from domain.record import Record


def total_usage(record: Record, prices: PriceList) -> TotalUsage:
    """Sum up what all model calls took and cost, together and by agent."""
    calls = defaultdict[str, list[ModelCall]](list)
    for call in record.calls():
        calls[call.agent_id].append(call)
    by_agent = {agent_id: _agent_usage(calls[agent_id], prices) for agent_id in sorted(calls)}
    costs = [row.cost for row in by_agent.values() if row.cost]
    return TotalUsage(
        **dict(record.usage),
        agents=by_agent,
        saved_calls=_saved_calls(record),
        cost=sum(costs[1:], costs[0]) if costs else prices.cost(()),
    )


def _agent_usage(calls: Sequence[ModelCall], prices: PriceList) -> AgentUsage:
    return AgentUsage(
        usage=sum((call.usage for call in calls), Usage()),
        calls=sum(call.calls if isinstance(call, BallotCast) else 1 for call in calls),
        duration_ms=round(sum(call.duration_ms for call in calls), 1),
        cost=prices.cost((call.model, call.usage) for call in calls),
    )


def _saved_calls(record: Record) -> int:
    """Count the ballots of every vote that copies of those asked would have handed in."""
    rounds = {ballot.round for ballot in record.ballots()}
    passes = {round_: len({ballot.pass_ for ballot in record.ballots(round_)}) for round_ in rounds}
    return sum(number * len(spared(record, round_)) for round_, number in passes.items())
