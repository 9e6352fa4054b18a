"""The pipeline under the shipped logins, with an engine that writes what a plan's title asks for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nats as nats_client
from nats.js.api import ConsumerConfig

from domain.services import Services
from tests.acceptance.conftest import services_of
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.secured import SecuredNats, SecuredValkey
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers


@dataclass(frozen=True)
class Stage:
    """What is flooded."""

    nats: SecuredNats
    processes: dict[str, Service]
    services: Services

    def pids(self) -> dict[str, int]:
        """Return the processes and servers by name."""
        return {**{name: one.pid for name, one in self.processes.items()}, "nats": self.nats.pid}

    async def idle(self, within_s: float) -> None:
        """Wait until nothing is taken in or open. Raises TimeoutError when that is not within the time."""
        async with asyncio.timeout(within_s):
            while self.services.deliberations.count_open() or self.services.plans.count_undispatched():
                await asyncio.sleep(0.5)


@contextmanager
def staged(folder: Path, guard: Guard, *, latency_s: float) -> Iterator[Stage]:
    """Start one process of each kind under its own login; return when all are ready."""
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    with (
        SecuredNats(folder / "nats", guard=guard) as nats,
        SecuredValkey(folder / "valkey", guard=guard) as valkey,
    ):
        worker, bridge = (
            Fleet(
                folder,
                guard,
                nats_url=nats.url_of(user),
                redis_url=valkey.url_of(user),
                engine_url=f"{root}/v1",
            )
            for user in ("worker", "bridge")
        )
        with worker, bridge:
            worker.add(_engine(port, root, latency_s)).start()
            services = services_of(nats.url_of("worker"), valkey.url_of("worker"), worker.model)
            processes = {
                "bridge": bridge.bridge(),
                "control": worker.control(threads=64, CONCLAVE_CHECKS_MEMORY_MB="256"),
                "worker": worker.worker(threads=160),
                "beat": worker.beat(),
            }
            for service in processes.values():
                service.start(wait=False)
            for service in processes.values():
                service.wait_ready()
            asyncio.run(_durable_of_observers(nats))
            yield Stage(nats, processes, services)


async def _durable_of_observers(server: SecuredNats) -> None:
    """Make what the login `observer` pulls from, as an operator does."""
    client = await nats_client.connect(server.url_of("bridge"))
    await client.jetstream().add_consumer("ORCHESTRATOR_EVENTS", ConsumerConfig(durable_name="observer"))
    await client.close()


def _engine(port: int, root: str, latency_s: float) -> ProcessCommand:
    words = ("-m", "tests.bench.flood.engine", "--port", str(port), "--latency", str(latency_s))
    return ProcessCommand(fresh("engine"), (sys.executable, *words), ready=http_answers(f"{root}/health"))
