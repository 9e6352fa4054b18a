"""Real NATS and Valkey servers for tests, started with the product's own command lines.

Each lives on a free loopback port in a folder of its own and may be killed and started again there; none
outlives the test process, however that ends.
"""

from __future__ import annotations

import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.processes.command import ProcessCommand, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.ports import free_port
from workers.processes.readiness import wait_until
from workers.processes.sessions import kill_group
from workers.stack.nats_server import nats, nats_url
from workers.stack.valkey_server import valkey, valkey_url

READY_WITHIN = 20.0
"""Seconds; generous, since test machines are shared."""


class Server(ABC):
    """A server process that keeps its port and its data over restarts."""

    def __init__(self, folder: Path, *, guard: Guard | None = None) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = self._describe()
        self.log = LogFile(folder / f"{self.process.name}.log")
        self._own_guard = Guard() if guard is None else None
        self._guard = guard or self._own_guard
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _describe(self) -> ProcessCommand: ...

    @property
    @abstractmethod
    def url(self) -> str:
        """Address for clients."""

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._child is not None, "the server was not started"
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Self:
        """Start the server and return when it answers."""
        assert self._guard is not None
        self._child = spawn(self.process, log=self.log, guard=self._guard)
        if not wait_until(self._answers_or_died, within=READY_WITHIN) or not self.running:
            raise AssertionError(f"{self.process.name} did not start: {self.log.tail()}")
        return self

    def stop(self) -> None:
        """End the server as an operator would, with SIGTERM; its data stays."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """Kill the server without warning; its data stays as the crash left it."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Stop, then start on the same port and data."""
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """Stop the server in its tracks, connections open: nothing is answered until `thaw`."""
        kill_group(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        kill_group(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill the server for good."""
        self.kill9()
        if self._own_guard is not None:
            self._own_guard.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answers_or_died(self) -> bool:
        return not self.running or self.process.ready(self.log)

    def _end(self, number: signal.Signals) -> None:
        if self._child is None:
            return
        kill_group(self._child.pid, number)
        self._child.wait(timeout=READY_WITHIN)
        self._child = None


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
