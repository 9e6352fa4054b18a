"""The compose file's own commands, variables and logins as an installation, without its containers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.compose import ROOT, Compose
from tests.support.fleet import Fleet, Service
from tests.support.programs import output_of
from tests.support.scripted_engine import ScriptedEngine
from tests.support.secured import SecuredNats, SecuredValkey
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import log_says

CONCLAVE = (sys.executable, "-m", "workers.cli")
MODEL = "smollm2-135m-instruct"
READY = {
    "bridge": "bridge_ready",
    "control-worker": " ready.",
    "model-worker": " ready.",
    "beat": "beat: Starting",
    "flower": "Visit me at",
}
WITHIN = 120.0


@dataclass(frozen=True)
class Installation:
    """What compose would run, without its containers."""

    compose: Compose
    nats: SecuredNats
    engine: ScriptedEngine
    services: dict[str, Service]

    def run(self, name: str, argv: tuple[str, ...]) -> str:
        """Run a command as `docker compose exec NAME` would; it must succeed."""
        return run(argv, self.compose.environment(name))


def run(argv: tuple[str, ...], env: dict[str, str]) -> str:
    """Run a program that must succeed, and return what it printed."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("CONCLAVE_")}
    return output_of(argv, folder=ROOT, environment={**outside, **env}, within=WITHIN)


@contextmanager
def shipped_installation(folder: Path, guard: Guard) -> Iterator[Installation]:
    """Run every process of the compose file with the shipped logins and councils, on a scripted engine."""
    with (
        SecuredNats(folder / "nats", guard=guard) as server,
        SecuredValkey(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(MODEL, latency_s=0.05) as engine,
        Fleet(folder, guard, nats_url="", redis_url="") as fleet,
    ):
        places = {
            "nats:4222": server.url.rpartition("/")[2],
            "valkey:6379": valkey.url.rpartition("/")[2],
            "engine:8080": engine.url.rpartition("/")[2],
            "0.0.0.0": HOST,
            "5555": str(free_port()),
        }
        compose = Compose(places, folder)
        services = {
            name: fleet.add(replace(compose.process(name), ready=log_says(words))) for name, words in READY.items()
        }
        for service in services.values():
            service.start(wait=False)
        for service in services.values():
            service.wait_ready()
        found = Installation(compose, server, engine, services)
        # As the compose file's first lines say.
        found.run("control-worker", (*CONCLAVE, "council", "apply", "--default"))
        yield found
