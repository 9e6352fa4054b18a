"""A CONCLAVE_ variable that sets nothing is named by every process, in its log, and stops none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support import commands
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import http_answers

TYPED = {"CONCLAVE_MAX_OPENED": "5"}
SAID = "CONCLAVE_MAX_OPENED is no setting; the nearest is CONCLAVE_MAX_OPEN"


def flower(fleet: Fleet) -> Service:
    port = free_port()
    argv = (sys.executable, "-m", "workers.cli", "flower", "--port", str(port))
    ready = http_answers(f"http://{HOST}:{port}/healthcheck")
    return fleet.add(ProcessCommand(name="flower", argv=argv, env=fleet.env, ready=ready))


def test_every_process_names_it_once(
    nats_server: NatsServer, valkey_server: ValkeyServer, tmp_path: Path, guard: Guard
) -> None:
    servers = {"nats_url": nats_server.url, "redis_url": f"{valkey_server.url}/4"}
    with Fleet(tmp_path, guard, **servers, engine_url="http://127.0.0.1:9/v1", env=TYPED) as fleet:
        services = [fleet.bridge(), fleet.control(), fleet.beat(), flower(fleet)]
        for service in services:
            service.start(wait=False)
        for service in services:
            service.wait_ready()
            assert service.log.text().count(SAID) == 1, service.log.text()


def test_a_command_names_it_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*next(iter(TYPED.items())))
    result = commands.run("config", "--json")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [f"conclave: {SAID}"]
