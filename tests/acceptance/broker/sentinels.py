"""A master, its replica and a Sentinel that decides alone between them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import redis

from tests.support.fleet import READY_WITHIN
from tests.support.servers import ValkeyServer
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import wait_until

MASTER = "council"


class Rewritable(ValkeyServer):
    """A server with its own copy of the configuration: Sentinel makes servers rewrite theirs."""

    def _describe(self) -> ProcessCommand:
        described = super()._describe()
        program, shipped, *options = described.argv
        return replace(described, argv=(program, str(shutil.copy(shipped, self.folder)), *options))

    def client(self) -> redis.Redis:
        return redis.Redis(host=HOST, port=self.port, decode_responses=True)


class Sentinel(Rewritable):
    """Valkey in its other role."""

    def _describe(self) -> ProcessCommand:
        described = super()._describe()
        configuration = self.folder / "sentinel.conf"
        configuration.write_text(f"port {self.port}\nbind {HOST}\ndir {self.folder}\n")
        return replace(described, argv=(described.argv[0], str(configuration), "--sentinel"))


@dataclass(frozen=True)
class Watched:
    """The servers, and where they are found."""

    master: Rewritable
    replica: Rewritable
    sentinel: Sentinel

    def url(self, database: int) -> str:
        """Two Sentinels, the first of which is down."""
        places = (free_port(), self.sentinel.port)
        return ";".join(f"sentinel://{HOST}:{port}/{database}" for port in places)


@contextmanager
def watched(folder: Path, guard: Guard) -> Iterator[Watched]:
    """Run all three; the master counts as dead half a second after it fell silent."""
    with (
        Rewritable(folder / "master", guard=guard) as master,
        Rewritable(folder / "replica", guard=guard) as replica,
        Sentinel(folder / "sentinel", guard=guard) as sentinel,
        sentinel.client() as control,
        replica.client() as follower,
    ):
        follower.replicaof(HOST, str(master.port))
        assert wait_until(lambda: follower.info("replication")["master_link_status"] == "up", within=READY_WITHIN)
        control.sentinel_monitor(MASTER, HOST, master.port, 1)
        control.sentinel_set(MASTER, "down-after-milliseconds", 500)
        control.sentinel_set(MASTER, "failover-timeout", 3000)
        assert wait_until(lambda: bool(control.sentinel_slaves(MASTER)), within=READY_WITHIN)
        yield Watched(master, replica, sentinel)
