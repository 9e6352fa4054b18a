"""Deliberations as far as the events about them tell, for a store that has forgotten them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from domain import keys
from domain.chat import FailureReason
from domain.contract import CompletedBody, DeliberationHead
from domain.contract_rows import BallotRow, ComparisonRow, ProposalBody
from domain.council import Agent
from domain.deliberation import Deliberation, Judge
from domain.entry import AgentFailed, BallotCast, Compared, Proposed
from domain.identity import deliberation_id, request_id
from domain.keys import PRIOR
from domain.opening import refuse
from domain.plan import Plan, PlanRequest
from domain.policy import Policy

FORGOTTEN = "the store has lost this deliberation, and no approval of it is left; approve its plan again"
FORGOTTEN_REPEAT = (
    "the store has lost this re-deliberation; ask for it again with `conclave deliberation redeliberate {}`"
)
MOST_REPEATS = 1000
"""Re-deliberations of one approval that are told apart here; their number is in their id alone."""


def request_told_by(head: DeliberationHead) -> PlanRequest:
    """Return the approval as far as an event tells it: ids and role, without the plan's texts.

    Raises ValueError, as all functions here do, for an event that can't be one of ours.
    """
    plan = Plan(
        story_id=head.story_id,
        plan_id=head.plan_id,
        approved_by="unknown",
        timestamp=_iso_8601(head.timestamp),
        roles=(head.role,),
    )
    return PlanRequest(request_id=request_id(head.plan_id, head.revision), plan=plan, revision=head.revision)


def decided_as_told(request: PlanRequest | None, told: CompletedBody, policy: Policy) -> Deliberation:
    """Return the deliberation behind a decision: its agents are those that the decision names.

    `request`: the approval; None where none is left.
    """
    proposals = (row.proposal for row in told.decisions if row.proposal.proposal_id != PRIOR)
    models = {failure.agent_id: "" for failure in told.failures if failure.stage == "proposal"}
    models |= {proposal.author.agent_id: proposal.model for proposal in proposals}
    agents = tuple(Agent(agent_id=agent_id, model=model or None) for agent_id, model in sorted(models.items()))
    opened_at = told.timestamp - told.duration_ms / 1000
    known = {
        "agents": agents,
        "refusal": "" if agents else FORGOTTEN,
        "quorum": told.quorum,
        "rounds": told.rounds,
        "judges": tuple(map(_judge, told.ranking_inputs.reviewers)),
    }
    refused = refused_as_told(request, told, FORGOTTEN, policy, now=opened_at)
    return Deliberation.model_validate({**dict(refused), **known})


def entries_as_told(told: CompletedBody) -> Iterator[Proposed | AgentFailed | BallotCast | Compared]:
    """Yield what a decision was made from: first proposals, failures, ballots, comparisons, so that it replays."""
    at = told.timestamp
    for row in told.decisions:
        if row.proposal.proposal_id != PRIOR:
            yield _first_proposal(row.proposal, at)
    for failure in told.failures:
        if failure.stage == "proposal":
            reason = FailureReason(failure.reason)
            yield AgentFailed(agent_id=failure.agent_id, reason=reason, detail=failure.detail, at=at)
    for ballot in told.ballots:
        yield _ballot(ballot, at)
    for comparison in told.second_look:
        yield _comparison(comparison, at)


def refused_as_told(
    request: PlanRequest | None, told: DeliberationHead, reason: str, policy: Policy, *, now: float
) -> Deliberation:
    """Return the deliberation that an event names, without a council: it can only end, or has."""
    if not told.deliberation_id or not math.isfinite(now):
        raise ValueError("no deliberation of ours")
    approval = request_told_by(told) if request is None else request
    refused = refuse(approval, told.role, reason, policy, now=now, supersedes=told.supersedes)
    known = {
        "deliberation_id": told.deliberation_id,
        "repeat": _repeat(told),
        "lost": ("council", "plan") if request is None else ("council",),
    }
    return refused.model_copy(update=known)


def _first_proposal(told: ProposalBody, at: float) -> Proposed:
    agent_id = told.author.agent_id
    first = told.proposal_id == keys.proposal_id(agent_id, 0) or not told.revisions
    text = told.content if first else told.revisions[0]
    return Proposed(agent_id=agent_id, model=told.model, text=text, at=at)


def _ballot(told: BallotRow, at: float) -> BallotCast:
    return BallotCast(
        agent_id=told.reviewer,
        round=told.round,
        pass_=told.pass_,
        order=told.order,
        form=told.form,
        scores=told.scores,
        expected=told.expected,
        missing=_reason(told.missing),
        gaps={proposal: FailureReason(reason) for proposal, reason in told.gaps.items()},
        detail=told.detail,
        model=told.model,
        usage=told.usage,
        duration_ms=told.duration_ms,
        at=at,
    )


def _comparison(told: ComparisonRow, at: float) -> Compared:
    return Compared(
        agent_id=told.reviewer,
        round=told.round,
        first=told.first,
        second=told.second,
        choice=told.choice,
        p_first=told.p_first,
        missing=_reason(told.missing),
        detail=told.detail,
        model=told.model,
        usage=told.usage,
        duration_ms=told.duration_ms,
        at=at,
    )


def _reason(told: str | None) -> FailureReason | None:
    return None if told is None else FailureReason(told)


def _repeat(told: DeliberationHead) -> int:
    ids = (deliberation_id(told.plan_id, told.role, told.revision, number) for number in range(MOST_REPEATS))
    return next((number for number, identity in enumerate(ids) if identity == told.deliberation_id), 0)


def _judge(reviewer: str) -> Judge:
    council, _, member_id = reviewer.partition("/")
    return Judge(agent_id=reviewer, council=council, member_id=member_id)


def _iso_8601(timestamp: float) -> str:
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat()
    except (OverflowError, OSError) as error:
        raise ValueError("no time") from error
