"""The stage of the chaos run: servers that may die, a supervised fleet, an engine that misbehaves."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from domain.services import Services
from tests.acceptance.conftest import services_of
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from workers.stack.guard import Guard
from workers.stack.ports import free_port
from workers.stack.probes import http_answers, wait_until
from workers.stack.process import Process

ENV = {
    "CONCLAVE_VISIBILITY_TIMEOUT_S": "4",
    "CONCLAVE_POLICY__LEASE_S": "4",
    "CONCLAVE_POLICY__CALL_TIMEOUT_S": "8",
    "CONCLAVE_POLICY__DEADLINE_S": "120",
    "CONCLAVE_BRIDGE_ACK_WAIT_S": "5",
    "CONCLAVE_BRIDGE_MAX_DELIVER": "100",
    "CONCLAVE_MAX_OPEN": "60",
}
LATENCY_S = 0.5
FAULTS = {"503": 0.03, "hang": 0.01, "disconnect": 0.02, "garbage": 0.02, "off_form": 0.02}
"""Share of calls that the engine answers so."""


@dataclass
class Stage:
    """Everything that can be killed, by name, and how it is started again."""

    nats: NatsServer
    valkey: ValkeyServer
    services: Services
    engine_url: str
    fleet: Fleet
    kinds: dict[str, list[Service]] = field(default_factory=dict)

    def victims(self) -> dict[str, Callable[[], None]]:
        """Return name → what kills it with -9 and starts it again at once, as a supervisor would."""
        named = {
            f"{kind}-{number}": _killer(service)
            for kind, services in self.kinds.items()
            for number, service in enumerate(services)
        }
        return {**named, "valkey": _restarter(self.valkey), "nats": _restarter(self.nats)}

    def supervise(self) -> None:
        """Start again what ended by itself: beat leaves when Valkey goes away."""
        for services in self.kinds.values():
            for service in services:
                if not service.running:
                    service.start(wait=False)

    def pids(self) -> list[int]:
        return [service.pid for services in self.kinds.values() for service in services]


@contextmanager
def staged(folder: Path, guard: Guard, *, seed: int) -> Iterator[Stage]:
    """Start two of everything, and return when all of it is ready."""
    with ExitStack() as stack:
        nats = stack.enter_context(NatsServer(folder / "nats", guard=guard))
        valkey = stack.enter_context(ValkeyServer(folder / "valkey", guard=guard))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        fleet = stack.enter_context(
            Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=f"{url}/v1", env=ENV)
        )
        fleet.add(_engine(port, fleet.model, seed)).start()
        services = services_of(nats.url, valkey.url, fleet.model)
        stage = Stage(nats, valkey, services, url, fleet)
        for kind, start in (("bridge", fleet.bridge), ("control", fleet.control), ("worker", fleet.worker)):
            stage.kinds[kind] = [start(), start()]
        stage.kinds["beat"] = [fleet.beat(), fleet.beat()]
        for running in stage.kinds.values():
            for service in running:
                service.start(wait=False)
        for kind in ("bridge", "control", "worker"):
            for service in stage.kinds[kind]:
                service.wait_ready()
        assert wait_until(lambda: len(services.engines.serving(fleet.model)) == 2, within=30)
        yield stage


def _engine(port: int, model: str, seed: int) -> Process:
    words = ("-m", "tests.support.scripted_engine", model, "--port", str(port), "--latency", str(LATENCY_S))
    url = f"http://127.0.0.1:{port}/health"
    return Process(fresh("engine"), (sys.executable, *words), ready=http_answers(url))


def _killer(service: Service) -> Callable[[], None]:
    def kill() -> None:
        if service.running:
            service.kill9()
        service.start(wait=False)

    return kill


def _restarter(server: NatsServer | ValkeyServer) -> Callable[[], None]:
    def kill() -> None:
        server.kill9()
        server.start()

    return kill


def pick(dice: random.Random, victims: dict[str, Callable[[], None]]) -> str:
    """Choose a victim: workers twice as often as servers, which take everybody's work with them."""
    names = sorted(victims)
    return dice.choices(names, weights=[1 if name in {"valkey", "nats"} else 2 for name in names])[0]
