"""Machines of one installation, each with a network link of its own to NATS and to Valkey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from domain.services import Services
from tests.acceptance.conftest import services_of
from tests.support.fleet import Fleet, Service
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.tcp_proxy import TcpProxy
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.stack.servers import nats_url, valkey_url

LATENCY_S = 0.3
"""Of a model call: long enough for a link to break in the midst of some."""


@dataclass
class Machine:
    """The services that reach NATS and Valkey over the same two links."""

    nats: TcpProxy
    valkey: TcpProxy
    services: dict[str, Service] = field(default_factory=dict)

    def said(self, service: str, words: str) -> int:
        """Count how often a service's log says these words."""
        return self.services[service].log.text(limit=1 << 26).count(words)


@dataclass
class Sites:
    """`edge` takes in and beats; `left` and `right` dispatch, propose and conclude."""

    nats: NatsServer
    services: Services
    """Over no link at all."""
    edge: Machine
    left: Machine
    right: Machine

    @property
    def machines(self) -> tuple[Machine, ...]:
        return (self.edge, self.left, self.right)

    def pids(self) -> dict[str, int]:
        """Return the process id of every service that runs, by its name."""
        services = [one for machine in self.machines for one in machine.services.values()]
        return {one.process.name: one.pid for one in services if one.running}

    def nothing_is_left(self) -> bool:
        """Whether nothing is open, waits to be opened, or waits to be told."""
        known = self.services
        return (
            known.deliberations.count_open() + known.plans.count_undispatched() + len(known.outbox.pending(1)) == 0
        )


@contextmanager
def connected(folder: Path, guard: Guard) -> Iterator[Sites]:
    """Start the servers and three machines, and return when all are ready."""
    with ExitStack() as stack:
        nats = stack.enter_context(NatsServer(folder / "nats", guard=guard))
        valkey = stack.enter_context(ValkeyServer(folder / "valkey", guard=guard))
        engine = stack.enter_context(ScriptedEngine(latency_s=LATENCY_S))
        fleet = stack.enter_context(
            Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url)
        )

        def machine(**kinds: Callable[..., Service]) -> Machine:
            links = Machine(stack.enter_context(TcpProxy(nats.port)), stack.enter_context(TcpProxy(valkey.port)))
            env = {
                "CONCLAVE_NATS_URL": nats_url(links.nats.port),
                "CONCLAVE_REDIS_URL": valkey_url(links.valkey.port),
            }
            links.services.update({kind: start(**env).start(wait=False) for kind, start in kinds.items()})
            return links

        sites = Sites(
            nats,
            services_of(nats.url, valkey.url, fleet.model),
            edge=machine(bridge=fleet.bridge, beat=partial(fleet.beat, CONCLAVE_LOG_LEVEL="DEBUG")),
            left=machine(control=fleet.control, worker=fleet.worker),
            right=machine(control=fleet.control, worker=fleet.worker),
        )
        for service in fleet.services:
            service.wait_ready()
        assert wait_until(lambda: len(sites.services.engines.serving(fleet.model)) == 2, within=120)
        yield sites
