"""Figures over all deliberations: integers, counted together with the write that they are about, so exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.contract import CompletedBody
from domain.counter_names import REVIEWER_0_1, Scope, counter_name, scope_and_key
from domain.deliberation import Deliberation
from domain.entry import Closed
from domain.prices import Cost, Money, money_of
from domain.ranking import Reliability
from domain.ranking.reliability import Mean, ReviewerHistory
from domain.record import Record
from domain.value import Value

MICRO = 1_000_000
"""Fractions are counted in millionths: sums of integers do not depend on their order."""


class Figures(Value):
    """Counts of one role or of all."""

    decided: int = 0
    failed: int = 0
    cancelled: int = 0
    degraded: int = 0
    contested: int = 0
    agents_failed: int = 0
    ballots: int = 0
    ballots_missing: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    unpriced_tokens: int = 0
    """Those that `cost` leaves out: prices were set, and none for their model."""
    mean_duration_ms: float | None = None
    """Of decided deliberations, from opening to decision."""
    mean_kendall_w: float | None = None
    wins: dict[str, int] = {}
    """Agent id → decisions won; `ROLE/agent` in the total."""
    cost: dict[str, Money] = {}
    """Currency → what the tokens cost, by the prices at each deliberation's end."""


class Statistics(Value):
    """Figures in total and by role, since the store was made."""

    total: Figures
    roles: dict[str, Figures]


def tally_of(record: Record, closed: Closed) -> dict[str, int]:
    """Return what the end of a deliberation adds to every counter; the record is the one before its end."""
    role, decision = record.deliberation.role, closed.decision
    scopes: dict[Scope, dict[str, int]] = {("role", role): {closed.status: 1, **_effort_metrics(record)}}
    cost = _cost(closed)
    if cost is not None:
        scopes["role", role]["unpriced_tokens"] = cost.unpriced_tokens
        scopes["cost", role] = {cost.currency: cost.billionths}
    if decision is not None:
        scopes["role", role] |= _decision_metrics(record, decision)
        scopes["wins", role] = {decision.winner.agent_id if decision.winner else "": 1}
        scopes |= _reviews(record.deliberation, decision)
    return {
        counter_name(scope, key): count for scope, keys in scopes.items() for key, count in keys.items() if count
    }


def _cost(closed: Closed) -> Cost | None:
    return closed.result.usage.cost if closed.result.usage else None


def _effort_metrics(record: Record) -> dict[str, int]:
    ballots, usage = record.ballots(), record.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "agents_failed": len(record.failures()),
        "ballots": sum(ballot.missing is None for ballot in ballots),
        "ballots_missing": sum(ballot.missing is not None for ballot in ballots),
    }


def _decision_metrics(record: Record, decision: CompletedBody) -> dict[str, int]:
    kendall_w = decision.agreement.kendall_w
    return {
        "degraded": int(decision.degraded),
        "contested": int(decision.contested),
        "duration_ms": max(0, round((decision.timestamp - record.deliberation.opened_at) * 1000)),
        "kendall_w_count": int(kendall_w is not None),
        "kendall_w": round((kendall_w or 0.0) * MICRO),
    }


def _reviews(deliberation: Deliberation, decision: CompletedBody) -> dict[Scope, dict[str, int]]:
    """Return what the ranking says of its reviewers, each under the role of its own council."""
    scopes: dict[Scope, dict[str, int]] = {}
    for report in decision.ranking.reviewers:
        counts = {"deliberations": 1, "silent": int(report.scored == 0)}
        for key, value in (
            ("severity", report.offset),
            ("swap_consistency", report.swap_consistency),
            ("agreement", report.agreement),
        ):
            if value is not None:
                counts |= {key: round(value * MICRO), f"{key}_count": 1}
        scopes["reviewer", *deliberation.home_of(report.reviewer)] = counts
    return scopes


def statistics(counts: Mapping[str, int]) -> Statistics:
    """Read the counters, those of version 0.1 added in."""
    scopes = _by_scope(counts)
    roles = {scope[1]: figures for scope, figures in scopes.items() if scope[0] == "role" and len(scope) == 2}
    wins = {role: scopes.get(("wins", role), {}) for role in roles}
    costs = {role: scopes.get(("cost", role), {}) for role in roles}
    named = ({f"{role}/{agent_id}": count for agent_id, count in wins[role].items()} for role in roles)
    return Statistics(
        total=_figures(_added(roles.values()), _added(named), _added(costs.values())),
        roles={role: _figures(roles[role], wins[role], costs[role]) for role in sorted(roles)},
    )


def reliability(counts: Mapping[str, int], deliberation: Deliberation) -> Reliability:
    """Read the records of a deliberation's reviewers, under the ids that they have in it.

    What version 0.1 counted is added in, but for agents with a slash in their id, whose records it mixed up.
    """
    homes = {agent.agent_id: deliberation.home_of(agent.agent_id) for agent in deliberation.reviewers}
    return Reliability(agents=reviewer_histories(counts, homes))


def reviewer_histories(
    counts: Mapping[str, int], homes: Mapping[str, tuple[str, str]]
) -> dict[str, ReviewerHistory]:
    """Read the records of reviewers, each of whom `homes` gives the role and id of its own council.

    One without a record is left out. What version 0.1 counted is added in, but for ids with a slash, as above.
    """
    scopes = _by_scope(counts)
    histories: dict[str, ReviewerHistory] = {}
    for reviewer, (role, agent_id) in sorted(homes.items()):
        ours = scopes.get(("reviewer", role, agent_id), {})
        earlier = {} if "/" in agent_id else scopes.get((REVIEWER_0_1, f"{role}/{agent_id}"), {})
        if ours or earlier:
            histories[reviewer] = _history(_added([ours, earlier]))
    return histories


def _by_scope(counts: Mapping[str, int]) -> dict[Scope, dict[str, int]]:
    scopes: dict[Scope, dict[str, int]] = {}
    for name, count in counts.items():
        scope, key = scope_and_key(name)
        of_scope = scopes.setdefault(scope, {})
        of_scope[key] = of_scope.get(key, 0) + count
    return scopes


def _added(figures: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for summand in figures:
        for key, count in summand.items():
            total[key] = total.get(key, 0) + count
    return total


def _figures(counts: Mapping[str, int], wins: Mapping[str, int], cost: Mapping[str, int]) -> Figures:
    plain = {name: counts[name] for name in Figures.model_fields if name in counts}
    decided, measured = counts.get("decided", 0), counts.get("kendall_w_count", 0)
    return Figures.model_validate(
        {
            **plain,
            "mean_duration_ms": counts.get("duration_ms", 0) / decided if decided else None,
            "mean_kendall_w": counts.get("kendall_w", 0) / MICRO / measured if measured else None,
            "wins": dict(sorted(wins.items())),
            "cost": {currency: money_of(count) for currency, count in sorted(cost.items())},
        }
    )


def _history(counts: Mapping[str, int]) -> ReviewerHistory:
    return ReviewerHistory(
        deliberations=counts.get("deliberations", 0),
        silent=counts.get("silent", 0),
        severity=_mean(counts, "severity"),
        swap_consistency=_mean(counts, "swap_consistency"),
        agreement=_mean(counts, "agreement"),
    )


def _mean(counts: Mapping[str, int], key: str) -> Mean:
    count = counts.get(f"{key}_count", 0)
    return Mean(count=count, value=counts.get(key, 0) / MICRO / count if count else 0.0)
