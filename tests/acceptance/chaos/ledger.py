"""What was asked, what the world was told, and what that says of the run."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.errors import TimeoutError as NothingMore
from nats.js.api import ConsumerConfig, DeliverPolicy

ENDS = ("completed", "failed", "cancelled")


@dataclass
class Ledger:
    """Times in epoch seconds."""

    asked: dict[str, float] = field(default_factory=dict)
    """plan id → when JetStream confirmed the approval."""
    kills: list[tuple[float, str]] = field(default_factory=list)
    ends: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    """plan id → the ends that the stream holds, with their time."""
    calls: int = 0
    calls_twice: int = 0
    dead_letters: int = 0

    @property
    def lost(self) -> list[str]:
        return sorted(plan_id for plan_id in self.asked if plan_id not in self.ends)

    @property
    def doubled(self) -> list[str]:
        return sorted(plan_id for plan_id, ends in self.ends.items() if len(ends) > 1)

    def outcomes(self) -> Counter[str]:
        return Counter(ends[0][0] for plan_id, ends in self.ends.items() if plan_id in self.asked)

    def recoveries(self) -> list[float]:
        """Return the seconds from the last kill to the end, for every deliberation that was open at one."""
        times = []
        for plan_id, asked in self.asked.items():
            for _, ended in self.ends.get(plan_id, [])[:1]:
                hit = [at for at, _ in self.kills if asked <= at <= ended]
                times += [ended - max(hit)] if hit else []
        return sorted(times)

    def durations(self) -> list[float]:
        """Return asking to end of those that no kill hit."""
        return sorted(
            ends[0][1] - self.asked[plan_id]
            for plan_id, ends in self.ends.items()
            if plan_id in self.asked and not any(self.asked[plan_id] <= at <= ends[0][1] for at, _ in self.kills)
        )


def quantile(values: list[float], share: float) -> float:
    """Return the value below which that share lies; nan for none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


async def read_ends(nats_url: str) -> dict[str, list[tuple[str, float]]]:
    """Read every end of a deliberation that the stream holds, oldest first."""
    client = await nats.connect(nats_url)
    try:
        stream = client.jetstream()
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
        subscription = await stream.subscribe("orchestration.deliberation.*", ordered_consumer=True, config=config)
        ends: dict[str, list[tuple[str, float]]] = {}
        while True:
            try:
                message = await subscription.next_msg(timeout=2)
            except NothingMore:
                return ends
            kind = message.subject.rsplit(".", 1)[1]
            if kind in ENDS:
                body: dict[str, Any] = json.loads(message.data)
                ends.setdefault(body["plan_id"], []).append((kind, float(body["timestamp"])))
    finally:
        await client.close()
