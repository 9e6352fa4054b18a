"""The pipeline as a user meets it: real servers, real processes, a scripted engine over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from domain.services import Services
from tests.support.factories import council
from tests.support.fleet import Fleet
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.app import make_app
from workers.composition import Composition
from workers.processes.guard import Guard
from workers.settings import Settings

ROLES = ("DEV", "QA")


@dataclass(frozen=True)
class Pipeline:
    """Running servers and processes, and the services of a process beside them."""

    fleet: Fleet
    engine: ScriptedEngine
    services: Services
    nats_url: str


@pytest.fixture
def nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a client goes through, it prints nothing by itself."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Pipeline]:
    """Two bridges, two control workers and two model workers on servers of their own, with councils for ROLES."""
    folder = tmp_path_factory.mktemp("pipeline")
    with (
        NatsServer(folder / "nats", guard=guard) as nats,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05) as engine,
        Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url) as fleet,
    ):
        services = services_of(nats.url, valkey.url, fleet.model)
        running = [start() for start in (fleet.bridge, fleet.control, fleet.worker) for _ in range(2)]
        for one in running:
            one.start(wait=False)
        for one in running:
            one.wait_ready()
        yield Pipeline(fleet, engine, services, nats.url)


def services_of(nats_url: str, redis_url: str, model: str) -> Services:
    """Return services on these servers, with councils for ROLES whose agents use the default model."""
    settings = Settings.model_validate({"nats": {"url": nats_url}, "redis_url": redis_url, "model": model})
    services = Composition(settings).services(make_app(settings))
    for role in ROLES:
        agents = tuple(agent.model_copy(update={"model": None}) for agent in council(role).agents)
        services.councils.save(council(role, agents=agents))
    return services
