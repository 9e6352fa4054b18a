"""The store behind Sentinel: the master dies, its replica takes over, the client follows by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.factories import deliberation, event, opened, proposed
from tests.support.servers import ValkeyServer
from tests.support.stores import redis_stores
from workers.adapters.clock import SystemClock
from workers.adapters.redis.connection import connect, reach
from workers.processes.command import ProcessCommand, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import valkey_answers, wait_until
from workers.processes.sessions import kill_group
from workers.stack.binaries import valkey_server as valkey_binary


class Rewritable(ValkeyServer):
    """A server with its own copy of the configuration: Sentinel makes servers rewrite theirs."""

    def _describe(self) -> ProcessCommand:
        described = super()._describe()
        program, shipped, *options = described.argv
        own = str(shutil.copy(shipped, self.folder))
        return replace(described, argv=(program, own, *options))


def test_a_deliberation_goes_on_at_the_replica_after_the_master_died(tmp_path: Path, guard: Guard) -> None:
    with (
        Rewritable(tmp_path / "master", guard=guard) as master,
        Rewritable(tmp_path / "replica", guard=guard) as replica,
        _sentinel(tmp_path / "sentinel", master, replica, guard) as port,
    ):
        url = f"sentinel://{HOST}:{free_port()}/2;sentinel://{HOST}:{port}"
        client = connect(url, master="council", patience_s=60)
        reach(client, url)
        stores = redis_stores(client, SystemClock())
        begun, saved = deliberation(), event()
        stores.deliberations.record(begun.deliberation_id, opened(begun), events=[saved])
        assert client.wait(1, 10_000) == 1, "the replica has what was written"
        master.kill9()
        stores.deliberations.record(begun.deliberation_id, proposed())
        assert stores.deliberations.load(begun.deliberation_id).attempt(0, "agent-1") == proposed()
        assert stores.outbox.pending(10) == (saved,)
        assert connect(f"{replica.url}/2").dbsize() > 0, "it was the replica that took the write"


@contextmanager
def _sentinel(folder: Path, master: ValkeyServer, replica: ValkeyServer, guard: Guard) -> Iterator[int]:
    """Run one Sentinel over both servers, which alone decides, half a second after the master fell silent."""
    connect(replica.url).replicaof(HOST, str(master.port))
    assert wait_until(lambda: connect(replica.url).info("replication")["master_link_status"] == "up", within=120)
    folder.mkdir()
    port = free_port()
    configuration = folder / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind {HOST}\ndir {folder}\n"
        f"sentinel monitor council {HOST} {master.port} 1\n"
        "sentinel down-after-milliseconds council 500\n"
        "sentinel failover-timeout council 3000\n"
    )
    argv = (valkey_binary(), str(configuration), "--sentinel")
    described = ProcessCommand(name="sentinel", argv=argv, ready=valkey_answers(port))
    log = LogFile(folder / "sentinel.log")
    child = spawn(described, log=log, guard=guard)
    try:
        assert wait_until(lambda: described.ready(log), within=120), log.tail()
        sentinel = connect(f"redis://{HOST}:{port}")
        assert wait_until(lambda: bool(sentinel.sentinel_slaves("council")), within=120), log.tail()
        yield port
    finally:
        kill_group(child.pid)
        child.wait(timeout=120)
