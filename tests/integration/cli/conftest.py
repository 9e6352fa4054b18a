"""Commands against real servers: Valkey under a fresh key prefix, NATS of their own, since subjects are fixed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.services import Services
from tests.support import commands
from tests.support.commands import Run
from tests.support.factories import fresh
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.stores import close_gap_unseen
from workers.app import make_app
from workers.composition import Composition
from workers.processes.guard import Guard
from workers.settings import Settings


@pytest.fixture(scope="package")
def own_nats(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("cli-nats"), guard=guard) as server:
        yield server


@pytest.fixture
def environment(
    own_nats: NatsServer, valkey_server: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The servers as commands find them: by the environment."""
    monkeypatch.setenv("CONCLAVE_NATS_URL", own_nats.url)
    monkeypatch.setenv("CONCLAVE_REDIS_URL", valkey_server.url)
    monkeypatch.setenv("CONCLAVE_KEY_PREFIX", f"{fresh('cli')}:")
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / "state"))
    return Settings()


@pytest.fixture
def services(environment: Settings) -> Services:
    services = Composition(environment).services(make_app(environment))
    close_gap_unseen(services.continuity)
    return services


@pytest.fixture
def run(environment: Settings) -> Run:
    """Run commands that find the servers."""
    return commands.run
