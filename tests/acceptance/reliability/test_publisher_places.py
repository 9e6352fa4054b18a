"""One publisher's plans take their turns, by priority, beside those of others, whatever worker dies meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, STARTED, approval
from tests.support.fleet import Fleet
from tests.support.observer import Observer, until, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

WITHIN_S = 120.0
BOUND = {"CONCLAVE_OPEN_PLANS_PER_PUBLISHER": "1"}

pytestmark = pytest.mark.timeout(4 * WITHIN_S)


def test_a_publishers_plans_wait_for_their_turn_and_none_is_lost_with_a_worker(
    tmp_path: Path, guard: Guard
) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.1) as engine,
        Fleet(
            tmp_path,
            guard,
            nats_url=nats.url,
            redis_url=valkey.url,
            engine_url=engine.openai_url,
            env=BOUND,
        ) as fleet,
    ):
        places = services_of(nats.url, valkey.url, fleet.model).places
        control = [fleet.control(threads=8) for _ in range(2)]
        model = fleet.worker(threads=8)
        for service in (fleet.bridge(), *control, fleet.beat()):
            service.start()

        async def scenario(observer: Observer) -> None:
            first = approval(approved_by="red")
            await observer.publish(APPROVED, first)
            await observer.wait(STARTED, within=WITHIN_S, plan_id=first["plan_id"])
            # No model worker runs yet, so the first can't end before the others wait.
            low, plain, high = (approval(approved_by="red", priority=word) for word in ("low", "medium", "high"))
            for waiting in (low, plain, high):
                await observer.publish(APPROVED, waiting)
            other = approval(approved_by="blue")
            await observer.publish(APPROVED, other)
            await observer.wait(STARTED, within=WITHIN_S, plan_id=other["plan_id"])
            await until(lambda: places.count_waiting() == 3, within=WITHIN_S, what=lambda: "three plans wait")

            log = "".join(service.log.text() for service in control)
            assert log.count('"plan waits"') == 3, "each is told once"

            model.start()
            for number, begun in enumerate((high, plain)):
                await observer.wait(STARTED, within=WITHIN_S, plan_id=begun["plan_id"])
                await asyncio.to_thread(control[number].kill9)
                control[number].start(wait=False)
            plans = (first, other, low, plain, high)
            for plan in plans:
                await observer.wait(COMPLETED, within=WITHIN_S, plan_id=plan["plan_id"])

            red = [
                event.body["plan_id"]
                for event in observer.of(STARTED)
                if event.body["plan_id"] != other["plan_id"]
            ]
            assert red == [plan["plan_id"] for plan in (first, high, plain, low)]
            assert [len(observer.of(COMPLETED, plan_id=plan["plan_id"])) for plan in plans] == [1] * 5
            await until(lambda: places.publishers() == (), within=WITHIN_S, what=lambda: "all places are free")

        watching(nats.url, scenario)
