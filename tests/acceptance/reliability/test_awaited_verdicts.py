"""Decisions that wait for a person: while processes die, each is settled once, by a person or by the clock."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.chaos.stage import ENV, Stage, staged
from tests.acceptance.reliability.unfinished import finish
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.observer import Observer, until
from tests.support.recorded import recorded
from workers.processes.guard import Guard

JUDGED, JUDGED_OUT = "deliberation.judged", "orchestration.decision.judged"
PLANS = 8
WITHIN_S = 120.0
FLEET = {"beat": 1, "bridge": 2, "control": 2, "worker": 1}
AWAITING = {"CONCLAVE_POLICY_SWEEP_AFTER_S": "3", "CONCLAVE_POLICY_VERDICT_WITHIN_S": "4"}

pytestmark = pytest.mark.timeout(3 * WITHIN_S)


def test_each_decision_is_settled_once_whoever_dies(tmp_path: Path, guard: Guard) -> None:
    with staged(tmp_path, guard, latency_s=0.05, count=FLEET, env=ENV | AWAITING) as stage:
        asyncio.run(_scenario(stage))
        events = asyncio.run(recorded(stage.nats.url, "orchestration.>"))
        decided = {one.body["deliberation_id"]: one.body for one in events if one.subject == COMPLETED}
        judged = [one.body for one in events if one.subject == JUDGED_OUT]
        kept = {identity: stage.services.verdicts.of(identity) for identity in decided}

    assert len(decided) == PLANS
    assert all(body["awaiting_verdict"] and body["counts_at"] for body in decided.values())
    settled = Counter(body["deliberation_id"] for body in judged if body["counts"] is not None)
    assert settled == dict.fromkeys(decided, 1)
    by = Counter((body["deliberation_id"], body["by"]) for body in judged)
    assert set(by.values()) == {1}, "each verdict is told once, however often it came"
    assert sum(name == "ada" for _, name in by) == PLANS / 2
    for identity, verdicts in kept.items():
        told = {body["verdict_id"]: body["counts"] for body in judged if body["deliberation_id"] == identity}
        assert {one.verdict_id: one.counts for one in verdicts} == told


async def _scenario(stage: Stage) -> None:
    """Ada rejects every other decision in the moment in which it would count; processes die meanwhile."""
    async with Observer(stage.nats.url) as observer:
        for _ in range(PLANS):
            await observer.publish(APPROVED, approval())
        decided = await observer.wait(COMPLETED, count=PLANS, within=WITHIN_S)
        for number, event in enumerate(decided):
            if number % 2:
                continue
            await asyncio.sleep(max(0.0, event.body["counts_at"] - time.time()))
            for _ in range(2):
                await observer.publish(JUDGED, _rejection(event.body["deliberation_id"]))
            for kind in ("control", "bridge"):
                victim = stage.kinds[kind][(number // 2) % 2]
                if victim.running:
                    victim.kill9()
                victim.start(wait=False)
        await until(
            lambda: len(observer.of(JUDGED_OUT, by="ada")) == PLANS / 2,
            within=WITHIN_S,
            what=lambda: f"{len(observer.of(JUDGED_OUT, by='ada'))} verdicts told",
        )
        await until(
            lambda: stage.services.verdicts.count_awaiting() == 0,
            within=WITHIN_S,
            what=lambda: f"{stage.services.verdicts.count_awaiting()} await a verdict",
        )
    await finish(stage, within=WITHIN_S)


def _rejection(deliberation_id: str) -> dict[str, str]:
    return {
        "deliberation_id": deliberation_id,
        "verdict": "reject",
        "by": "ada",
        "reason": "not this way",
        "timestamp": "2026-01-31T12:00:00Z",
    }
