"""The servers that tests run against: they answer, keep their data over a kill, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from dataclasses import replace
from pathlib import Path

import nats
import pytest
import redis

from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import wait_until
from workers.processes.sessions import alive


@pytest.fixture
def valkey(tmp_path: Path, guard: Guard) -> ValkeyServer:
    return ValkeyServer(tmp_path, guard=guard)


def test_valkey_keeps_its_port_and_data_over_a_kill(valkey: ValkeyServer) -> None:
    with valkey:
        client = redis.Redis.from_url(valkey.url)
        client.set("council", "DEV")
        assert wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0, within=120)
        first_pid = valkey.pid
        valkey.kill9()
        valkey.start()
        assert client.get("council") == b"DEV"
        assert valkey.pid != first_pid


def test_valkey_evicts_nothing_and_logs_every_write(valkey: ValkeyServer) -> None:
    with valkey:
        client = redis.Redis.from_url(valkey.url)
        settings = client.config_get("maxmemory-policy", "appendonly", "appendfsync", "save")
    assert settings == {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }


def test_nats_keeps_acknowledged_messages_over_a_kill(tmp_path: Path, guard: Guard) -> None:
    with NatsServer(tmp_path, guard=guard) as server:
        asyncio.run(_publish(server.url))
        server.kill9()
        server.start()
        assert asyncio.run(_count(server.url)) == 50


def test_nats_confirms_nothing_before_it_is_on_disk_and_says_how_full_that_is(
    tmp_path: Path, guard: Guard
) -> None:
    server, port = NatsServer(tmp_path, guard=guard), free_port()
    server.process = replace(server.process, argv=(*server.process.argv, "--http_port", str(port)))
    with server:
        asyncio.run(_publish(server.url))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/jsz") as answer:
            found = json.load(answer)
    # A kill can't tell: what a killed process wrote is in the page cache, and only a power failure takes that.
    assert found["config"]["sync_always"] is True
    # What prometheus-nats-exporter hands to ConclaveJetStreamDiskFull.
    assert found["config"]["max_storage"] > found["bytes"] > 0


async def _publish(url: str) -> None:
    async with await nats.connect(url) as connection:
        stream = connection.jetstream()
        await stream.add_stream(name="KEPT", subjects=["kept.>"])
        for number in range(50):
            await stream.publish("kept.one", str(number).encode())


async def _count(url: str) -> int:
    async with await nats.connect(url) as connection:
        return (await connection.jetstream().stream_info("KEPT")).state.messages


def test_a_killed_test_run_leaves_no_server(tmp_path: Path) -> None:
    starter = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from tests.support.servers import NatsServer, ValkeyServer
        folder = Path(sys.argv[1])
        nats, valkey = NatsServer(folder / "nats").start(), ValkeyServer(folder / "valkey").start()
        print(nats.pid, valkey.pid, flush=True)
        time.sleep(600)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        pids = [int(word) for word in run.stdout.readline().split()]
        assert all(map(alive, pids))
        os.kill(run.pid, signal.SIGKILL)
    assert len(pids) == 2
    assert wait_until(lambda: not any(map(alive, pids)), within=120)
