"""Where everything may die: servers, a supervised fleet, an engine in a process of its own."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from domain.services import Services
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers, wait_until

ENV = {
    "CONCLAVE_VISIBILITY_TIMEOUT_S": "4",
    "CONCLAVE_POLICY_SWEEP_AFTER_S": "4",
    "CONCLAVE_POLICY_CALL_TIMEOUT_S": "8",
    "CONCLAVE_POLICY_DEADLINE_S": "120",
    "CONCLAVE_BRIDGE_ACK_WAIT_S": "5",
    "CONCLAVE_BRIDGE_MAX_DELIVER": "100",
    "CONCLAVE_MAX_OPEN": "60",
}
LATENCY_S = 0.5
SERVICES = ("beat", "bridge", "control", "worker")
"""Kinds of our processes, in the order in which they can leave without leaving work behind."""
PAIRS = dict.fromkeys(SERVICES, 2)
KINDS = (*SERVICES, "valkey", "nats")
"""What dies."""


@dataclass
class Stage:
    """Everything that can be killed, by kind, and how it is started again."""

    nats: NatsServer
    valkey: ValkeyServer
    services: Services
    engine_url: str
    fleet: Fleet
    engine: Service
    kinds: dict[str, list[Service]] = field(default_factory=dict)

    def kill(self, kind: str, dice: random.Random) -> str:
        """Kill one of a kind with -9 and start it again at once, as a supervisor would; return which it was."""
        if kind not in self.kinds:
            server = self.nats if kind == "nats" else self.valkey
            server.kill9()
            server.start()
            return kind
        number = dice.randrange(len(self.kinds[kind]))
        service = self.kinds[kind][number]
        if service.running:
            service.kill9()
        service.start(wait=False)
        return f"{kind}-{number}"

    def kill_all(self, kind: str) -> None:
        """Kill all of a kind with -9 at once and start them again."""
        for service in self.kinds[kind]:
            if service.running:
                service.kill9()
        for service in self.kinds[kind]:
            service.start(wait=False)

    def supervise(self) -> None:
        """Start again what ended by itself: beat leaves when Valkey goes away."""
        for service in self.everybody():
            if not service.running:
                service.start(wait=False)

    def everybody(self) -> list[Service]:
        """Return our processes, kind after kind."""
        return [service for services in self.kinds.values() for service in services]

    def reported_lost(self) -> int:
        """Sum up the approvals that bridges have logged as lost, in all their lives."""
        lines = [line for bridge in self.kinds["bridge"] for line in bridge.log.path.read_text().splitlines()]
        logged = [json.loads(line) for line in lines if "messages_lost" in line and line.startswith("{")]
        return sum(line["up_to"] for line in logged if line["subject"] == APPROVED)

    def leave(self) -> dict[str, int]:
        """End our processes as an operator would; return each one's exit code."""
        codes = {}
        for kind in SERVICES:
            for number, service in enumerate(self.kinds[kind]):
                codes[f"{kind}-{number}"] = service.stop() if service.running else -1
        return codes

    def pids(self) -> dict[str, int]:
        """Return every process by its kind and number."""
        ours = {
            f"{kind}-{number}": service.pid
            for kind, services in self.kinds.items()
            for number, service in enumerate(services)
        }
        return {**ours, "valkey": self.valkey.pid, "nats": self.nats.pid, "engine": self.engine.pid}


def deck(dice: random.Random) -> Iterator[str]:
    """Yield kinds without end: in every round each of them once, in an order of its own."""
    while True:
        yield from dice.sample(KINDS, len(KINDS))


@contextmanager
def staged(
    folder: Path,
    guard: Guard,
    *,
    latency_s: float = LATENCY_S,
    count: Mapping[str, int] = PAIRS,
    env: Mapping[str, str] = ENV,
    own: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    prepare: Callable[[str], None] = lambda nats_url: None,
) -> Iterator[Stage]:
    """Start so many processes of each kind, and return when all of it is ready.

    `own`: further variables of all processes of a kind. `prepare` is called before any of ours runs.
    """
    with ExitStack() as stack:
        nats = stack.enter_context(NatsServer(folder / "nats", guard=guard))
        prepare(nats.url)
        valkey = stack.enter_context(ValkeyServer(folder / "valkey", guard=guard))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        fleet = stack.enter_context(
            Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=f"{url}/v1", env=env)
        )
        engine = fleet.add(_engine(port, fleet.model, latency_s)).start()
        services = services_of(nats.url, valkey.url, fleet.model)
        stage = Stage(nats, valkey, services, url, fleet, engine)
        starters: dict[str, Callable[..., Service]] = {
            "beat": fleet.beat,
            "bridge": fleet.bridge,
            "control": fleet.control,
            "worker": fleet.worker,
        }
        stage.kinds = {
            kind: [starters[kind](**own.get(kind, {})) for _ in range(number)] for kind, number in count.items()
        }
        for service in stage.everybody():
            service.start(wait=False)
        for service in stage.everybody():
            service.wait_ready()
        assert wait_until(lambda: len(services.engines.serving(fleet.model)) == count["worker"], within=120)
        yield stage


def _engine(port: int, model: str, latency_s: float) -> ProcessCommand:
    words = ("-m", "tests.support.scripted_engine", model, "--port", str(port), "--latency", str(latency_s))
    url = f"http://127.0.0.1:{port}/health"
    return ProcessCommand(fresh("engine"), (sys.executable, *words), ready=http_answers(url))
