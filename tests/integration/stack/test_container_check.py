"""The checks that containers run: each knows a process that works from one that doesn't."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis

from tests.support.factories import fresh
from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port
from workers.stack import container_check


@pytest.fixture
def connection(valkey_server: ValkeyServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_server.url) as client:
        client.ping()
        yield client


def test_an_established_connection_is_seen(connection: redis.Redis, valkey_server: ValkeyServer) -> None:
    container_check.main(["connected", f"localhost:{valkey_server.port}"])


def test_every_address_must_be_connected(connection: redis.Redis, valkey_server: ValkeyServer) -> None:
    elsewhere = free_port()
    with pytest.raises(SystemExit, match=f"nothing here is connected to {HOST}:{elsewhere}"):
        container_check.main(["connected", f"{HOST}:{valkey_server.port}", f"{HOST}:{elsewhere}"])


def test_a_server_that_only_listens_is_no_connection() -> None:
    with socket.create_server((HOST, free_port())) as listener:
        address = f"{HOST}:{listener.getsockname()[1]}"
        with pytest.raises(SystemExit, match=f"nothing here is connected to {address}"):
            container_check.main(["connected", address])


def test_a_name_without_an_address_is_said() -> None:
    with pytest.raises(SystemExit, match=r"no-such-host.invalid has no address"):
        container_check.main(["connected", "no-such-host.invalid:1"])


def test_a_page_that_does_not_answer_is_said() -> None:
    url = f"http://{HOST}:{free_port()}/healthcheck"
    with pytest.raises(SystemExit, match=f"{url} does not answer 200"):
        container_check.main(["http", url])


def test_a_worker_is_well_while_it_answers_over_the_broker(
    tmp_path_factory: pytest.TempPathFactory,
    guard: Guard,
    nats_server: NatsServer,
    valkey_server: ValkeyServer,
) -> None:
    folder = tmp_path_factory.mktemp(fresh("check"))
    with Fleet(folder, guard, nats_url=nats_server.url, redis_url=valkey_server.url) as fleet:
        worker = fleet.control()
        worker.start()
        assert exit_code_of_the_worker_check(fleet) == 0
        worker.kill9()
        assert exit_code_of_the_worker_check(fleet) == 1


def exit_code_of_the_worker_check(fleet: Fleet) -> int:
    command = [sys.executable, "-m", "workers.stack.worker_check"]
    return subprocess.run(command, env={**os.environ, **fleet.env}, timeout=60, check=False).returncode
