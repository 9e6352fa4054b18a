"""When a decision deserves another look, and what the new deliberation takes over from the old one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pydantic import Field

from domain.contract import CompletedBody
from domain.council import Council
from domain.deliberation import Deliberation
from domain.opening import open_deliberation, settled
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.record import DeliberationState, Record
from domain.value import Value


class RedeliberationPolicy(Value):
    """What beat re-deliberates by itself. Every rule is off until it is set; limits hold for all rules."""

    stale_after_s: float | None = Field(default=None, gt=0)
    """Decided longer ago than this."""
    min_kendall_w: float | None = Field(default=None, ge=0, le=1)
    """Decided with less agreement than this."""
    min_p_winner: float | None = Field(default=None, ge=0, le=1)
    """Decided with a winner less probable than this."""
    contested: bool = False
    """Another proposal beat the winner head to head."""
    degraded: bool = False
    """Some agent or ballot was missing."""
    failed: bool = False
    """Ended without a decision."""
    council_changed: bool = False
    """The role's council is another one now."""
    max_revisions: int = Field(default=3, ge=0, le=100)
    """Re-deliberations of one approval, by rules; a person may ask for more."""
    cool_down_s: float = Field(default=3600.0, ge=0)
    """Time since the last end before a rule acts: an outage of the model should not burn all revisions."""
    per_run: int = Field(default=10, ge=0, le=1000)
    """Deliberations that one run of the rules may start."""
    every_s: float = Field(default=60.0, gt=0)
    """How often beat looks."""
    with_prior_winner: bool = True
    """The earlier winner's proposal runs again, as one more anonymous candidate."""

    @property
    def active(self) -> bool:
        """Whether any rule is set."""
        thresholds = (self.stale_after_s, self.min_kendall_w, self.min_p_winner)
        return any(threshold is not None for threshold in thresholds) or any(
            (self.contested, self.degraded, self.failed, self.council_changed)
        )


class RepeatChoice(Value):
    """Who deliberates again, where it shall not be the role's own council as it is."""

    council: str = Field(default="", max_length=200)
    """The role whose council takes part for this one; empty: the role's own."""
    model: str = Field(default="", max_length=200)
    """The model that all its agents run on; empty: their own."""

    def applied_to(self, council: Council, role: str) -> Council:
        """Return the council as it deliberates for the role."""
        if not self.model:
            return council.model_copy(update={"role": role})
        members = tuple(agent.model_copy(update={"model": self.model}) for agent in council.agents)
        architect = council.architect and council.architect.model_copy(update={"model": self.model})
        return council.model_copy(update={"role": role, "agents": members, "architect": architect})


AS_IT_IS = RepeatChoice()


def reason_to_repeat(
    record: Record, council: Council | None, rules: RedeliberationPolicy, *, policy: Policy, now: float
) -> str | None:
    """Say why the rules want this deliberation repeated; None if they don't or its limits forbid it."""
    closed = record.closed
    if closed is None or council is None or record.state is DeliberationState.CANCELLED:
        return None
    if "plan" in record.deliberation.lost:
        return None
    if record.deliberation.repeat >= rules.max_revisions or now - closed.at < rules.cool_down_s:
        return None
    if closed.decision is None:
        return "failed" if rules.failed else None
    if rules.stale_after_s is not None and now - closed.at >= rules.stale_after_s:
        return "stale"
    doubt = next(_doubts(closed.decision, rules), None)
    if doubt is None and rules.council_changed and _differs(record.deliberation, council, policy):
        return "council_changed"
    return doubt


def _doubts(decision: CompletedBody, rules: RedeliberationPolicy) -> Iterator[str]:
    agreement = decision.agreement.kendall_w
    if rules.min_kendall_w is not None and agreement is not None and agreement < rules.min_kendall_w:
        yield "agreement"
    if rules.min_p_winner is not None and decision.p_winner is not None and decision.p_winner < rules.min_p_winner:
        yield "p_winner"
    if rules.contested and decision.contested:
        yield "contested"
    if rules.degraded and decision.degraded:
        yield "degraded"


def _differs(deliberation: Deliberation, council: Council, policy: Policy) -> bool:
    if "council" in deliberation.lost:
        return False
    members = council.agents[: deliberation.plan.constraints.num_agents]
    now, then = ([settled(agent, policy) for agent in agents] for agents in (members, deliberation.agents))
    return now != then


def repeat_of(
    record: Record,
    council: Council,
    others: Iterable[Council],
    policy: Policy,
    *,
    with_prior_winner: bool,
    now: float,
    served: Collection[str] | None = None,
) -> Deliberation:
    """Settle the deliberation that follows this one: the same approval, counted one up, superseding it."""
    earlier = record.deliberation
    request = PlanRequest(
        request_id=earlier.request_id,
        plan=earlier.plan,
        revision=earlier.revision,
        correlation_id=earlier.correlation_id,
        causation_id=earlier.deliberation_id,
        traceparent=earlier.traceparent,
    )
    text, author = _prior_winner(record)
    opened = open_deliberation(
        request,
        council,
        others,
        policy,
        now=now,
        repeat=earlier.repeat + 1,
        supersedes=earlier.deliberation_id,
        prior_winner=text if with_prior_winner else None,
        served=served,
    )
    return opened.model_copy(update={"prior_author": author})


def _prior_winner(record: Record) -> tuple[str | None, str]:
    """Return the winning text and its author's id; None and an empty id where there was no decision."""
    decision = record.closed.decision if record.closed else None
    if decision is None or not decision.decisions:
        return None, ""
    proposal = decision.decisions[0].proposal
    return proposal.content, proposal.author.agent_id
