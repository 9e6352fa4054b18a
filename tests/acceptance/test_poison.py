"""A task that takes down as many workers as it may is parked; its deliberation goes on by the quorum."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import approval
from tests.support.factories import fresh
from tests.support.fleet import Fleet
from tests.support.observer import Observer, until, watching
from tests.support.scripted_answers import Body, is_ballot
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

ENV = {"CONCLAVE_VISIBILITY_TIMEOUT_S": "2", "CONCLAVE_POLICY_PARK_AFTER_LOSSES": "2"}
TWO_PASSES = {"CONCLAVE_POLICY_REVIEW_BALLOTS": "listwise", "CONCLAVE_POLICY_REVIEW_BOTH_PASSES": "true"}
WITHIN = 60.0


def test_a_task_that_kills_two_workers_is_the_agents_failure_and_the_others_decide(
    tmp_path: Path, guard: Guard
) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        Fleet(
            tmp_path, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url, env=ENV
        ) as fleet,
    ):
        services_of(nats.url, valkey.url, fleet.model)
        hanging: list[bool] = []

        def hangs(body: Body) -> bool:
            hanging.append(body.get("seed") == 2 and not is_ballot(body))
            return hanging[-1]

        def hung(times: int) -> bool:
            return hanging.count(True) == times

        engine.script.hangs = hangs
        # One task at a time, so that nothing else goes down with it.
        worker = fleet.worker(threads=1)
        running = [service.start(wait=False) for service in (fleet.bridge(), fleet.control(), worker)]
        for service in running:
            service.wait_ready()

        async def scenario(observer: Observer) -> None:
            plan = fresh("plan")
            await observer.publish(
                "planning.plan.approved",
                {
                    "story_id": "story",
                    "plan_id": plan,
                    "approved_by": "po",
                    "roles": ["DEV"],
                    "timestamp": "2026-01-31T12:00:00Z",
                },
            )
            for calls in (1, 2):
                await until(partial(hung, calls), within=WITHIN, what=lambda: f"{hanging}")
                worker.kill9()
                worker.start(wait=False)
            (event,) = await observer.wait("orchestration.deliberation.completed", plan_id=plan, within=WITHIN)
            assert event.body["degraded"] is True
            (failure,) = [one for one in event.body["failures"] if one["stage"] == "proposal"]
            assert failure["reason"] == "poison"
            assert "2 workers were lost" in failure["detail"]
            assert hanging.count(True) == 2

        watching(nats.url, scenario)


def test_a_conclusion_that_goes_on_between_kills_is_no_killer(tmp_path: Path, guard: Guard) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        Fleet(
            tmp_path,
            guard,
            nats_url=nats.url,
            redis_url=valkey.url,
            engine_url=engine.openai_url,
            env=ENV | TWO_PASSES,
        ) as fleet,
    ):
        services = services_of(nats.url, valkey.url, fleet.model)
        gate = BallotGate()
        engine.script.hangs = gate
        control = fleet.control(threads=1)
        running = [service.start(wait=False) for service in (fleet.bridge(), control, fleet.worker())]
        for service in running:
            service.wait_ready()

        async def scenario(observer: Observer) -> None:
            plan = fresh("plan")
            await observer.publish("planning.plan.approved", approval(plan_id=plan))
            (begun,) = await observer.wait("orchestration.deliberation.started", plan_id=plan, within=WITHIN)

            def ballots(expected: int) -> bool:
                return len(services.deliberations.load(begun.body["deliberation_id"]).ballots()) == expected

            for cast in (1, 2, 3):
                gate.let_through(1)
                await until(partial(ballots, cast), within=WITHIN, what=lambda: "one ballot more")
                control.kill9()
                control.start(wait=False)
            gate.let_through(1000)
            (event,) = await observer.wait("orchestration.deliberation.completed", plan_id=plan, within=WITHIN)
            assert event.body["degraded"] is False

        watching(nats.url, scenario)


class BallotGate:
    """Lets so many ballots through, and hangs on all others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0

    def let_through(self, count: int) -> None:
        with self._lock:
            self._left = count

    def __call__(self, body: Body) -> bool:
        if not is_ballot(body):
            return False
        with self._lock:
            self._left -= 1
            return self._left < 0
