"""The stack of the soak: real servers and one process of each kind, with retention so short that it acts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.conftest import services_of
from tests.support.factories import fresh
from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers, wait_until

RETENTION_S = 20.0
STREAM_AGE_S = 30.0
STREAM_BYTES = 4 << 20
ENV = {
    "CONCLAVE_RETENTION_S": f"{RETENTION_S}",
    "CONCLAVE_STREAM_MAX_AGE_S": f"{STREAM_AGE_S}",
    "CONCLAVE_STREAM_MAX_BYTES": f"{STREAM_BYTES}",
    "CONCLAVE_STREAM_DUPLICATE_WINDOW_S": f"{RETENTION_S}",
    # Three agents who review one another: nine calls in place of thirteen.
    "CONCLAVE_POLICY_JUDGES": "0",
}


@dataclass(frozen=True)
class Stage:
    """What runs, and where."""

    nats_url: str
    redis_url: str
    pids: dict[str, int]


@contextmanager
def staged(folder: Path, guard: Guard) -> Iterator[Stage]:
    """Start everything and return when it is ready."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        NatsServer(folder / "nats", guard=guard) as nats,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=f"{url}/v1", env=ENV) as fleet,
    ):
        services = services_of(nats.url, valkey.url, fleet.model)
        running = {
            "engine": fleet.add(_engine(url, port, fleet.model)).start(),
            "bridge": fleet.bridge(),
            "control": fleet.control(),
            "worker": fleet.worker(),
            "beat": fleet.beat(),
        }
        for service in list(running.values())[1:]:
            service.start(wait=False)
        for service in running.values():
            service.wait_ready()
        assert wait_until(lambda: bool(services.engines.serving(fleet.model)), within=120)
        pids = {name: service.pid for name, service in running.items()}
        yield Stage(nats.url, valkey.url, {**pids, "nats": nats.pid, "valkey": valkey.pid})


def _engine(url: str, port: int, model: str) -> ProcessCommand:
    words = ("-m", "tests.support.scripted_engine", model, "--port", str(port), "--latency", "0", "--forgetful")
    return ProcessCommand(fresh("engine"), (sys.executable, *words), ready=http_answers(f"{url}/health"))
