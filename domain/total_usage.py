"""What a deliberation took: the sum over all its model calls, by agent, with its cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from domain.candidates import spared
from domain.chat import Usage
from domain.contract_rows import AgentUsage, TotalUsage
from domain.entry import BallotCast, ModelCall
from domain.keys import parse_proposal_id
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
    """Count the calls of every vote that copies of those asked would have taken."""
    votes = defaultdict[tuple[int, int], list[BallotCast]](list)
    for ballot in record.ballots():
        votes[ballot.round, ballot.pass_].append(ballot)
    return sum(_saved_in(ballots, round_, record) for (round_, _), ballots in votes.items())


def _saved_in(ballots: Sequence[BallotCast], round_: int, record: Record) -> int:
    """Count those of one pass: a ballot is one call, or one for each proposal that its reviewer did not write."""
    copies = spared(record, round_)
    if not any(ballot.alone for ballot in ballots):
        return len(copies)
    authors = [_author(proposal, record) for proposal in {name for ballot in ballots for name in ballot.asked}]
    reviewers = copies | {ballot.agent_id for ballot in ballots}
    everything = sum(author != reviewer for reviewer in reviewers for author in authors)
    return everything - sum(ballot.calls for ballot in ballots)


def _author(proposal_id: str, record: Record) -> str:
    version = parse_proposal_id(proposal_id)
    return version[0] if version else record.deliberation.prior_author
