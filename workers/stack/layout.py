"""Which processes make up the embedded stack, in what order, and where they answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher

from domain.rights import Right
from tasks.queue_names import CONTROL, model_queue_name
from workers.engines.llama_server import DEFAULT_MODEL, SLOTS, engine_url, llama_server
from workers.flower.options import CONFIG
from workers.processes.command import ProcessCommand
from workers.processes.ports import HOST, claim, prefer
from workers.processes.readiness import http_answers, log_says
from workers.stack.folder import USER, Logins, StateFolder
from workers.stack.servers import database_url, nats, nats_url, valkey

USUAL_PORTS = {"nats": 4222, "redis": 6379, "flower": 5555, "web": 8400}
"""Where clients look first."""


@dataclass(frozen=True)
class StackOptions:
    """What a user may choose; a port of None means the usual one if it is free, else any free one."""

    nats_port: int | None = None
    redis_port: int | None = None
    engine_port: int | None = None
    flower_port: int | None = None
    web_port: int | None = None
    model: str = DEFAULT_MODEL
    engine: str | None = None
    """Base URL of an engine that runs already; then none is started."""
    usual_ports: Mapping[str, int] = field(default_factory=dict)
    """By name; without one, any free port is taken, so that stacks beside one another don't race for it."""


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a stack answer; those of NATS and Valkey contain the login."""

    nats_url: str
    redis_url: str
    engine_url: str
    engine_key: str
    """Of the embedded engine; empty for another."""
    flower_port: int
    flower_login: str
    web_port: int
    web_login: str
    web_secret: str
    taken: Mapping[str, int] = field(default_factory=dict)
    """Usual ports that others listen on, by name."""

    @property
    def flower_url(self) -> str:
        """Address of Flower's pages."""
        return f"http://{HOST}:{self.flower_port}"

    @property
    def web_url(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.web_port}"


def addresses(options: StackOptions, logins: Logins) -> tuple[Addresses, Mapping[str, int]]:
    """Choose the ports; raises StackError for one that is taken.

    Returns the addresses and the ports of the servers to start, by name.
    """
    asked = {
        "nats": options.nats_port,
        "redis": options.redis_port,
        "flower": options.flower_port,
        "web": options.web_port,
    }
    usual = options.usual_ports
    chosen = {name: _port(name, port, usual.get(name)) for name, port in asked.items()}
    ports = {"nats": chosen["nats"], "valkey": chosen["redis"]}
    if options.engine is None:
        ports["engine"] = claim(options.engine_port, name="engine")
    where = Addresses(
        nats_url=nats_url(ports["nats"], logins.nats),
        redis_url=database_url(ports["valkey"], logins.valkey),
        engine_url=options.engine or engine_url(ports["engine"]),
        engine_key="" if options.engine else logins.engine,
        flower_port=chosen["flower"],
        flower_login=f"{USER}:{logins.flower}",
        web_port=chosen["web"],
        web_login=f"{USER}:{logins.web}",
        web_secret=logins.web_secret,
        taken={name: port for name, port in usual.items() if asked[name] is None and chosen[name] != port},
    )
    return where, ports


def _port(name: str, asked: int | None, usual: int | None) -> int:
    return prefer(usual) if asked is None and usual is not None else claim(asked, name=name)


def servers(
    state: StateFolder, ports: Mapping[str, int], options: StackOptions, logins: Logins
) -> list[ProcessCommand]:
    """Describe NATS, Valkey and, if it has a port, the engine; raises StackError when one is not installed."""
    commands = [
        nats(port=ports["nats"], folder=state.part("nats"), password=logins.nats),
        valkey(port=ports["valkey"], folder=state.part("valkey"), password=logins.valkey),
    ]
    if "engine" in ports:
        commands.append(llama_server(port=ports["engine"], model=options.model, key=logins.engine))
    return commands


def services(where: Addresses, options: StackOptions, state: Path) -> list[ProcessCommand]:
    """Describe Conclave's own processes; they find the servers by the environment."""
    env = {
        "CONCLAVE_NATS_URL": where.nats_url,
        "CONCLAVE_REDIS_URL": where.redis_url,
        "CONCLAVE_ENGINE_URL": where.engine_url,
        "CONCLAVE_MODEL": options.model,
        **({} if options.engine else {**_LLAMA, "CONCLAVE_ENGINE_KEY": where.engine_key}),
        "CONCLAVE_STATE": str(state),
        # These logs are for people, if not on a terminal.
        "CONCLAVE_LOG_JSON": "false",
        "PYTHONUNBUFFERED": "1",
    }
    flower = ("flower", f"--conf={CONFIG}", f"--address={HOST}", f"--port={where.flower_port}")
    return [
        _worker("control-worker", CONTROL, env, threads=16),
        _worker("model-worker", model_queue_name(options.model), env, threads=8),
        ProcessCommand(
            "bridge",
            (sys.executable, "-m", "workers.cli", "bridge"),
            env,
            ready=log_says("bridge_ready"),
            after=("nats", "valkey"),
            stop_within=20.0,
        ),
        ProcessCommand(
            "beat", (*_CELERY, "beat", "-l", "INFO"), env, ready=log_says("beat: Starting"), after=("valkey",)
        ),
        ProcessCommand(
            "flower",
            (*_CELERY, *flower),
            {**env, "CONCLAVE_FLOWER_AUTH": where.flower_login},
            ready=http_answers(f"{where.flower_url}/healthcheck"),
            after=("valkey",),
        ),
        ProcessCommand(
            "web",
            (sys.executable, "-m", "workers.cli", "web"),
            {**env, **_web_variables(where)},
            ready=http_answers(f"{where.web_url}/healthz"),
            after=("nats", "valkey"),
            stop_within=20.0,
        ),
    ]


def _web_variables(where: Addresses) -> dict[str, str]:
    user, _, password = where.web_login.partition(":")
    return {
        "CONCLAVE_WEB_HOST": HOST,
        "CONCLAVE_WEB_PORT": str(where.web_port),
        "CONCLAVE_WEB_USERS": json.dumps({user: PasswordHasher().hash(password)}),
        "CONCLAVE_WEB_RIGHTS": json.dumps({user: list(Right)}),
        "CONCLAVE_WEB_SECRET": where.web_secret,
        "CONCLAVE_WEB_FLOWER_URL": where.flower_url,
    }


_LLAMA = {"CONCLAVE_ENGINE_GUIDANCE": "grammar", "CONCLAVE_ENGINE_SLOTS": str(SLOTS)}
"""What a worker must know of our engine to call it well; of another we know nothing."""
_CELERY = (sys.executable, "-m", "celery", "-q", "-A", "workers.app")


def _worker(name: str, queue: str, env: Mapping[str, str], *, threads: int) -> ProcessCommand:
    options = ("-l", "INFO", "-Q", queue, "-n", f"{name}@%h", "-P", "threads", "-c", str(threads))
    return ProcessCommand(
        name=name,
        argv=(*_CELERY, "worker", *options),
        env=env,
        ready=log_says(" ready."),
        after=("nats", "valkey"),
        stops_before=("engine",),
        stop_within=30.0,
    )
