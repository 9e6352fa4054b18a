"""Real NATS and Valkey servers for tests, started with the product's own command lines.

Each lives on a free loopback port in a folder of its own and may be killed and started again there; none
outlives the test process, however that ends.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from tests.support.fleet import Service
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.stack.servers import nats, nats_url, valkey, valkey_url


class Server(Service, ABC):
    """A server process that keeps its port and its data over restarts."""

    def __init__(self, folder: Path, *, guard: Guard | None = None) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._owns_guard = guard is None
        super().__init__(self._describe(), folder=folder, guard=guard or Guard())

    @abstractmethod
    def _describe(self) -> ProcessCommand: ...

    @property
    @abstractmethod
    def url(self) -> str:
        """Address for clients."""

    def restart(self) -> Self:
        """Stop, then start on the same port and data."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Kill the server for good."""
        super().close()
        if self._owns_guard:
            self._guard.close()


class NatsServer(Server):
    """nats-server with JetStream on disk."""

    @property
    def url(self) -> str:
        return nats_url(self.port)

    def _describe(self) -> ProcessCommand:
        return nats(port=self.port, folder=self.folder / "jetstream")


class ValkeyServer(Server):
    """valkey-server with an append-only file; `url` names no database."""

    @property
    def url(self) -> str:
        return valkey_url(self.port)

    def _describe(self) -> ProcessCommand:
        return valkey(port=self.port, folder=self.folder)
