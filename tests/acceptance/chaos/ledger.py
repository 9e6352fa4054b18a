"""What was asked, what the world was told, and what that says of the run."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.recorded import recorded

ENDS = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class End:
    """An event that ends a deliberation."""

    kind: str
    at: float
    reason: str = ""
    """Of a failed one, with what befell its agents."""
    degraded: bool = False


@dataclass(frozen=True)
class Kill:
    at: float
    victim: str
    """Kind and number, as `worker-1`."""

    @property
    def kind(self) -> str:
        return self.victim.split("-")[0]


@dataclass
class Ledger:
    """Times in epoch seconds."""

    asked: dict[str, float] = field(default_factory=dict)
    """plan id → when JetStream confirmed the approval."""
    kills: list[Kill] = field(default_factory=list)
    ends: dict[str, list[End]] = field(default_factory=dict)
    """plan id → the ends that the stream holds."""
    dead_letters: int = 0

    @property
    def lost(self) -> list[str]:
        return sorted(plan_id for plan_id in self.asked if plan_id not in self.ends)

    @property
    def ended(self) -> dict[str, End]:
        """The first end of everything that was asked and has one."""
        return {plan_id: ends[0] for plan_id, ends in self.ends.items() if plan_id in self.asked}

    def outcomes(self) -> Counter[str]:
        return Counter(end.kind for end in self.ended.values())

    def reasons(self) -> Counter[str]:
        """Return why deliberations failed."""
        return Counter(end.reason for end in self.ended.values() if end.kind == "failed")

    def recoveries(self, kind: str = "", *, last: bool = False) -> list[float]:
        """Return the seconds from the first (or last) kill of a kind to the end, of all that were open then."""
        times = []
        for plan_id, end in self.ended.items():
            hits = [hit for hit in self._hits(plan_id, end) if kind in ("", hit.kind)]
            times += [end.at - hits[-1 if last else 0].at] if hits else []
        return sorted(times)

    def durations(self) -> list[float]:
        """Return asking to end of those that no kill hit."""
        ended = self.ended.items()
        return sorted(end.at - self.asked[plan_id] for plan_id, end in ended if not self._hits(plan_id, end))

    def _hits(self, plan_id: str, end: End) -> list[Kill]:
        return [kill for kill in self.kills if self.asked[plan_id] <= kill.at <= end.at]


def quantile(values: list[float], share: float) -> float:
    """Return the value below which that share lies; nan for none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


async def read_ends(nats_url: str) -> dict[str, list[End]]:
    """Read every end of a deliberation that the stream holds, oldest first."""
    ends: dict[str, list[End]] = {}
    for event in await recorded(nats_url, "orchestration.deliberation.*"):
        kind = event.subject.rsplit(".", 1)[1]
        if kind in ENDS:
            ends.setdefault(event.body["plan_id"], []).append(_end(kind, event.body))
    return ends


def _end(kind: str, body: dict[str, Any]) -> End:
    befell = Counter(str(row["reason"]) for row in body.get("failures", ()))
    agents = ", ".join(f"{reason} {count}" for reason, count in sorted(befell.items()))
    reason = f"{body['reason']} ({agents or 'no agent failed'})" if kind == "failed" else ""
    return End(kind, float(body["timestamp"]), reason, bool(body.get("degraded")))
