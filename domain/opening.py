"""How a plan and a council become a deliberation: every default is settled here, once."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from domain.council import MAX_AGENTS, Agent, Council
from domain.deliberation import Deliberation, Judge, quorum_of
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
    served: Collection[str] | None = None,
) -> Deliberation:
    """Settle who takes part under which rules; `others` are the councils that may lend judges.

    `served` are the models that engines serve or are being started for; None where that is unknown.
    """
    constraints = request.plan.constraints
    identity = deliberation_id(request.plan.plan_id, council.role, request.revision, repeat)
    agents = council.agents[: min(constraints.num_agents or MAX_AGENTS, policy.limits.agents)]
    return Deliberation(
        deliberation_id=identity,
        request_id=request.request_id,
        plan=request.plan,
        role=council.role,
        revision=request.revision,
        repeat=repeat,
        supersedes=supersedes,
        prior_winner=prior_winner,
        agents=tuple(settled(agent, policy) for agent in agents),
        judges=choose_judges(identity, [agent.agent_id for agent in agents], others, policy, served),
        architect=None if council.architect is None else settled(council.architect, policy),
        rubric=constraints.rubric or DEFAULT_RUBRIC,
        rounds=policy.rounds if constraints.rounds is None else constraints.rounds,
        quorum=min(policy.quorum or quorum_of(len(agents)), len(agents)),
        max_tokens=constraints.max_tokens or policy.max_tokens,
        token_budget=policy.token_budget,
        call_timeout_s=policy.call_timeout_s,
        review=policy.review,
        verdict=policy.verdict,
        opened_at=now,
        deadline_at=now + (constraints.deadline_s or policy.deadline_s),
        correlation_id=request.correlation_id,
        causation_id=request.causation_id,
        traceparent=request.traceparent,
    )


def refuse(
    request: PlanRequest, role: str, reason: str, policy: Policy, *, now: float, supersedes: str | None = None
) -> Deliberation:
    """Settle the deliberation of a role that no council is asked for; it only has to end, with that reason."""
    return Deliberation(
        deliberation_id=deliberation_id(request.plan.plan_id, role, request.revision),
        request_id=request.request_id,
        plan=request.plan,
        role=role,
        revision=request.revision,
        supersedes=supersedes,
        refusal=reason,
        agents=(),
        rubric=request.plan.constraints.rubric or DEFAULT_RUBRIC,
        quorum=1,
        max_tokens=policy.max_tokens,
        token_budget=policy.token_budget,
        call_timeout_s=policy.call_timeout_s,
        opened_at=now,
        deadline_at=now,
        correlation_id=request.correlation_id,
        causation_id=request.causation_id,
        traceparent=request.traceparent,
    )


def choose_judges(
    seed: str,
    proposers: Collection[str],
    others: Iterable[Council],
    policy: Policy,
    served: Collection[str] | None = None,
) -> tuple[Judge, ...]:
    """Draw neutral judges from other councils: evenly, and the same ones for the same seed.

    A judge whose model is not `served` would keep the decision waiting, so none is drawn. Their ids carry their
    role (`QA/qa-1`); a judge whose id is one of the `proposers` is left out.
    """
    number = policy.judges
    if number is None:
        number = DEFAULT_JUDGES if 1 < len(proposers) <= SMALL_COUNCIL else 0
    judges = [_judge(agent, council.role, policy) for council in others for agent in council.agents]
    by_id = {
        judge.agent_id: judge
        for judge in judges
        if judge.agent_id not in proposers and (served is None or judge.model in served)
    }
    drawn = sorted(by_id.values(), key=lambda judge: digest(seed, judge.agent_id))
    return tuple(drawn[: min(number, MAX_AGENTS)])


def _judge(agent: Agent, role: str, policy: Policy) -> Judge:
    return Judge(
        agent_id=f"{role}/{agent.agent_id}"[:200],
        persona=agent.persona,
        model=agent.model or policy.model,
        temperature=agent.temperature,
        seed=agent.seed,
        council=role,
        member_id=agent.agent_id,
    )


def settled(agent: Agent, policy: Policy) -> Agent:
    """Return the agent with everything that the policy says where its council says nothing; twice is as once."""
    thinking = policy.thinking if agent.thinking is None else agent.thinking
    return agent.model_copy(update={"model": agent.model or policy.model, "thinking": thinking})
