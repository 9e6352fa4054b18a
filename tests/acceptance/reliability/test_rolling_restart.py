"""Every process and server restarts in turn under load: no agent fails, no event is lost or told twice."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.acceptance.chaos.asking import approve_steadily
from tests.acceptance.chaos.stage import Stage, staged
from tests.acceptance.reliability.unfinished import finish
from tests.acceptance.test_pipeline import COMPLETED, DISPATCHED, PROGRESS, STARTED
from tests.support.observer import ObservedEvent
from tests.support.recorded import recorded
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until

ASK_EVERY_S = 0.8
LATENCY_S = 0.3
BUSY_WITHIN_S = 60.0
SETTLED_WITHIN_S = 150.0

pytestmark = pytest.mark.timeout(600)


def test_a_rolling_restart_under_load_fails_no_agent_and_tells_every_event_once(
    tmp_path: Path, guard: Guard
) -> None:
    asked: dict[str, float] = {}
    with staged(tmp_path, guard, latency_s=LATENCY_S, env={}) as stage:
        events = asyncio.run(_scenario(stage, asked))

    plans = sorted(asked)
    for subject in (DISPATCHED, STARTED, COMPLETED):
        assert sorted(one.body["plan_id"] for one in events if one.subject == subject) == plans
    assert {one.subject for one in events} == {DISPATCHED, STARTED, PROGRESS, COMPLETED}
    assert [one.body for one in events if one.body.get("degraded") or one.body.get("failures")] == []


async def _scenario(stage: Stage, asked: dict[str, float]) -> list[ObservedEvent]:
    over = threading.Event()
    asking = asyncio.create_task(approve_steadily(stage.nats.url, asked, every_s=ASK_EVERY_S, over=over.is_set))
    try:
        await asyncio.to_thread(_restart_all, stage)
    finally:
        over.set()
        await asking
    await finish(stage, within=SETTLED_WITHIN_S)
    return await recorded(stage.nats.url, "orchestration.>")


def _restart_all(stage: Stage) -> None:
    for service in stage.everybody():
        _wait_for_work(stage)
        assert service.stop() == 0, f"{service.process.name} did not end cleanly: {service.log.tail(20)}"
        service.start()
    for server in (stage.nats, stage.valkey):
        _wait_for_work(stage)
        server.restart()
    _wait_for_work(stage)
    assert [one.process.name for one in stage.everybody() if not one.running] == [], "ended because a server did"


def _wait_for_work(stage: Stage) -> None:
    """Wait until deliberations are open, so that a restart meets some."""
    assert wait_until(lambda: stage.services.deliberations.count_open() > 0, within=BUSY_WITHIN_S), (
        "nothing is asked"
    )
