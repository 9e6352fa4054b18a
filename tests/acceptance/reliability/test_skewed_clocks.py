"""A host whose clock is a little off does its part as any other; one that is far off says so and does not work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.services import Services
from domain.statistics import statistics
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, DISPATCHED, STARTED, approval
from tests.support.clocks import LIBRARY, MISSING, off_by
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, watching
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until

WITHIN = 60.0

pytestmark = pytest.mark.skipif(LIBRARY is None, reason=MISSING)


@dataclass(frozen=True)
class Scene:
    fleet: Fleet
    services: Services
    nats_url: str


@contextmanager
def scene(folder: Path, guard: Guard) -> Iterator[Scene]:
    with (
        NatsServer(folder / "nats", guard=guard) as nats,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url) as fleet,
    ):
        yield Scene(fleet, services_of(nats.url, valkey.url, fleet.model), nats.url)


@pytest.mark.parametrize("ahead", [-20.0, 20.0])
def test_times_are_in_order_whichever_host_is_a_little_off(tmp_path: Path, guard: Guard, ahead: float) -> None:
    with scene(tmp_path, guard) as it:
        fleet = it.fleet
        running = [fleet.bridge(), fleet.control(**off_by(ahead)), fleet.worker(**off_by(-ahead))]
        for service in running:
            service.start(wait=False)
        for service in running:
            service.wait_ready()

        async def scenario(observer: Observer) -> None:
            asked = approval()
            await observer.publish(APPROVED, asked)
            (done,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"], within=WITHIN)
            (begun,) = observer.of(STARTED, plan_id=asked["plan_id"])
            (dispatched,) = observer.of(DISPATCHED, plan_id=asked["plan_id"])
            moments = [begun.body["timestamp"], dispatched.body["timestamp"], done.body["timestamp"]]
            assert moments == sorted(moments)
            assert moments[-1] - moments[0] < abs(ahead), "told by hosts' own clocks"
            assert done.body["degraded"] is False
            assert 0 < done.body["duration_ms"] < abs(ahead) * 1000
            assert all(0 <= value < abs(ahead) * 1000 for value in done.body["timings"].values())

        watching(it.nats_url, scenario)
        assert (statistics(it.services.deliberations.counts()).total.mean_duration_ms or -1) > 0
        assert "clock compared with Valkey's" in running[1].log.path.read_text()


@pytest.mark.parametrize("part", ["bridge", "control", "worker", "beat"])
def test_a_process_on_a_host_that_is_an_hour_off_refuses_to_work(tmp_path: Path, guard: Guard, part: str) -> None:
    with scene(tmp_path, guard) as it:
        service: Service = getattr(it.fleet, part)(**off_by(-3600))
        service.start(wait=False)
        assert wait_until(lambda: not service.running, within=WITHIN), service.log.tail(20)
        said = service.log.path.read_text()
        assert "s behind Valkey's, and 30 s are tolerated: set it, and run an NTP client" in said
        assert "Traceback" not in said
