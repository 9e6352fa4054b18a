"""A whole installation beside bare Celery workers, on an engine that answers after exactly one second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.pipeline.asking import ROLE
from tests.support.factories import council, fresh
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from workers.app import make_app
from workers.composition import Composition
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers, log_says
from workers.settings import Settings


@contextmanager
def stage(folder: Path) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Give the addresses of NATS and Valkey, and the processes by name, the engine's aside."""
    guard = Guard()
    try:
        with (
            NatsServer(folder / "nats", guard=guard) as nats,
            ValkeyServer(folder / "valkey", guard=guard) as valkey,
        ):
            port = free_port()
            url = f"http://127.0.0.1:{port}/v1"
            with Fleet(folder, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=url) as fleet:
                _councils(nats.url, valkey.url, fleet.model)
                services = {
                    "engine": fleet.add(_engine(port, fleet.model)),
                    "bridge": fleet.bridge(),
                    "control worker": fleet.control(threads=64),
                    "model worker": fleet.worker(threads=160),
                    "bare headers": fleet.add(_bare(valkey.url, "bare.header", 160)),
                    "bare callbacks": fleet.add(_bare(valkey.url, "bare.callback", 64)),
                }
                _start(services)
                pids = {name: service.pid for name, service in services.items() if name != "engine"}
                pids |= {"nats-server": nats.pid, "valkey-server": valkey.pid}
                yield nats.url, valkey.url, pids
    finally:
        guard.close()


def _start(services: dict[str, Service]) -> None:
    for service in services.values():
        service.start(wait=False)
    for service in services.values():
        service.wait_ready()


def _engine(port: int, model: str) -> ProcessCommand:
    argv = (sys.executable, "-m", "tests.support.scripted_engine", model, "--port", str(port), "--latency", "1.0")
    return ProcessCommand(fresh("engine"), argv, ready=http_answers(f"http://127.0.0.1:{port}/health"))


def _bare(redis_url: str, queue: str, threads: int) -> ProcessCommand:
    env = {"BARE_BROKER": f"{redis_url}/8", "BARE_BACKEND": f"{redis_url}/9"}
    options = ("-Q", queue, "-n", f"{fresh('bare')}@%h", "-P", "threads", "-c", str(threads), "-l", "INFO", "-E")
    argv = (sys.executable, "-m", "celery", "-A", "tests.bench.pipeline.chord_app", "worker", *options)
    return ProcessCommand(fresh("bare"), argv, env=env, ready=log_says(" ready."))


def _councils(nats_url: str, redis_url: str, model: str) -> None:
    settings = Settings.model_validate({"nats": {"url": nats_url}, "redis_url": redis_url, "model": model})
    agents = council(ROLE).agents
    wanted = council(ROLE, agents=tuple(agent.model_copy(update={"model": None}) for agent in agents))
    Composition(settings).services(make_app(settings)).councils.save(wanted)
