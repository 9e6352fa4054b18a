"""How a plan and a council become a deliberation: every default is settled here, once."""

from __future__ import annotations

from collections.abc import Iterable

from domain.council import MAX_AGENTS, Agent, Council
from domain.deliberation import Deliberation, quorum_of
from domain.identity import deliberation_id, digest
from domain.plan import PlanRequest
from domain.policy import DEFAULT_JUDGES, SMALL_COUNCIL, Policy
from domain.rubric import DEFAULT_RUBRIC


def open_deliberation(
    request: PlanRequest,
    council: Council,
    others: Iterable[Council],
    policy: Policy,
    *,
    now: float,
    repeat: int = 0,
    supersedes: str | None = None,
    prior_winner: str | None = None,
) -> Deliberation:
    """Settle who takes part under which rules; `others` are the councils that may lend judges."""
    asked = request.plan.constraints
    identity = deliberation_id(request.plan.plan_id, council.role, request.revision, repeat)
    agents = council.agents[: min(asked.num_agents or MAX_AGENTS, policy.limits.agents)]
    return Deliberation(
        deliberation_id=identity,
        request_id=request.request_id,
        plan=request.plan,
        role=council.role,
        revision=request.revision,
        repeat=repeat,
        supersedes=supersedes,
        prior_winner=prior_winner,
        agents=tuple(_settled(agent, policy) for agent in agents),
        judges=choose_judges(identity, len(agents), others, policy),
        architect=None if council.architect is None else _settled(council.architect, policy),
        rubric=asked.rubric or DEFAULT_RUBRIC,
        rounds=policy.rounds if asked.rounds is None else asked.rounds,
        quorum=min(policy.quorum or quorum_of(len(agents)), len(agents)),
        max_tokens=asked.max_tokens or policy.max_tokens,
        token_budget=policy.token_budget,
        call_timeout_s=policy.call_timeout_s,
        review=policy.review,
        opened_at=now,
        deadline_at=now + (asked.deadline_s or policy.deadline_s),
        correlation_id=request.correlation_id,
        causation_id=request.causation_id,
        traceparent=request.traceparent,
    )


def choose_judges(seed: str, proposers: int, others: Iterable[Council], policy: Policy) -> tuple[Agent, ...]:
    """Draw neutral judges from other councils: evenly, and the same ones for the same seed.

    Their ids carry their role (`QA/qa-1`), so that no judge is taken for a proposer of the same id.
    """
    wanted = policy.judges
    if wanted is None:
        wanted = DEFAULT_JUDGES if 1 < proposers <= SMALL_COUNCIL else 0
    candidates = [
        _settled(agent, policy).model_copy(update={"agent_id": f"{council.role}/{agent.agent_id}"[:200]})
        for council in others
        for agent in council.agents
    ]
    candidates.sort(key=lambda agent: digest(seed, agent.agent_id))
    return tuple(candidates[: min(wanted, MAX_AGENTS)])


def _settled(agent: Agent, policy: Policy) -> Agent:
    return agent if agent.model else agent.model_copy(update={"model": policy.model})
