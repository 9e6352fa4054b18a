"""Figures over all deliberations: integers, counted together with the write they tell of, so exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.entry import Closed
from domain.ranking import Ranking, Reliability
from domain.ranking.reliability import Mean, ReviewerHistory
from domain.record import Record
from domain.value import Value

MICRO = 1_000_000
"""Fractions are counted in millionths: sums of integers do not depend on their order."""
TOTAL = "total"


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
    mean_duration_ms: float | None = None
    """Of decided deliberations, from opening to decision."""
    mean_kendall_w: float | None = None
    wins: dict[str, int] = {}
    """Agent id → decisions won; `ROLE/agent` in the total."""


class Statistics(Value):
    """Figures in total and by role, since the store was made."""

    total: Figures
    roles: dict[str, Figures]


def tally_of(record: Record, closed: Closed) -> dict[str, int]:
    """Return what the end of a deliberation adds to every counter; the record is the one before its end."""
    role = record.deliberation.role
    counts = {closed.status: 1, **_effort(record)}
    if closed.status == "decided":
        counts |= _decision(record, closed)
    by_scope = {f"{scope}|{name}": count for scope in (TOTAL, f"role:{role}") for name, count in counts.items()}
    if closed.status == "decided":
        winner = (closed.result.get("winner") or {}).get("agent_id", "")
        by_scope |= {f"{TOTAL}|wins:{role}/{winner}": 1, f"role:{role}|wins:{winner}": 1}
        by_scope |= _reviews(role, closed)
    return {name: count for name, count in by_scope.items() if count}


def _effort(record: Record) -> dict[str, int]:
    ballots = record.ballots()
    return {
        **record.usage.model_dump(),
        "agents_failed": len(record.failures()),
        "ballots": sum(cast.missing is None for cast in ballots),
        "ballots_missing": sum(cast.missing is not None for cast in ballots),
    }


def _decision(record: Record, closed: Closed) -> dict[str, int]:
    w = closed.result["agreement"]["kendall_w"]
    return {
        "degraded": int(closed.result["degraded"]),
        "contested": int(closed.result["contested"]),
        "duration_ms": round((closed.at - record.deliberation.opened_at) * 1000),
        "kendall_w_count": int(w is not None),
        "kendall_w": round((w or 0.0) * MICRO),
    }


def _reviews(role: str, closed: Closed) -> dict[str, int]:
    """Return what the ranking says of its reviewers, under names that are unique over all councils."""
    counts: dict[str, int] = {}
    for report in Ranking.model_validate(closed.result["ranking"]).reviewers:
        scope = f"reviewer:{reviewer_name(role, report.reviewer)}"
        counts |= {f"{scope}|deliberations": 1, f"{scope}|silent": int(report.scored == 0)}
        for name, value in (
            ("severity", report.offset),
            ("swap_consistency", report.swap_consistency),
            ("agreement", report.agreement),
        ):
            if value is not None:
                counts |= {f"{scope}|{name}": round(value * MICRO), f"{scope}|{name}_count": 1}
    return counts


def reviewer_name(role: str, reviewer: str) -> str:
    """Return `ROLE/agent` for a member of the role's council; judges are named so already."""
    return reviewer if "/" in reviewer else f"{role}/{reviewer}"


def statistics(counts: Mapping[str, int]) -> Statistics:
    """Read the counters."""
    scopes = _by_scope(counts)
    roles = {
        scope.removeprefix("role:"): _figures(one) for scope, one in scopes.items() if scope.startswith("role:")
    }
    return Statistics(total=_figures(scopes.get(TOTAL, {})), roles=dict(sorted(roles.items())))


def reliability(counts: Mapping[str, int], role: str, reviewers: Iterable[str]) -> Reliability:
    """Read the records of these reviewers of one role's council, under the names they have there."""
    scopes = _by_scope(counts)
    known = {one: scopes.get(f"reviewer:{reviewer_name(role, one)}") for one in sorted(set(reviewers))}
    return Reliability(agents={name: _review_record(one) for name, one in known.items() if one})


def _review_record(one: Mapping[str, int]) -> ReviewerHistory:
    return ReviewerHistory(
        deliberations=one.get("deliberations", 0),
        silent=one.get("silent", 0),
        severity=_mean(one, "severity"),
        swap_consistency=_mean(one, "swap_consistency"),
        agreement=_mean(one, "agreement"),
    )


def _by_scope(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    scopes: dict[str, dict[str, int]] = {}
    for name, count in counts.items():
        scope, _, metric = name.rpartition("|")
        scopes.setdefault(scope, {})[metric] = count
    return scopes


def _figures(one: Mapping[str, int]) -> Figures:
    plain = {name: one[name] for name in Figures.model_fields if name in one}
    wins = {name.removeprefix("wins:"): count for name, count in sorted(one.items()) if name.startswith("wins:")}
    decided, measured = one.get("decided", 0), one.get("kendall_w_count", 0)
    return Figures(
        **plain,
        mean_duration_ms=one.get("duration_ms", 0) / decided if decided else None,
        mean_kendall_w=one.get("kendall_w", 0) / MICRO / measured if measured else None,
        wins=wins,
    )


def _mean(one: Mapping[str, int], name: str) -> Mean:
    count = one.get(f"{name}_count", 0)
    return Mean(count=count, value=one.get(name, 0) / MICRO / count if count else 0.0)
