"""The pipeline as a user runs it: real bridges, workers and beat as processes, against given servers."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.factories import fresh
from workers.processes.command import ProcessCommand, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.readiness import log_says, wait_until
from workers.processes.sessions import kill_group

READY_WITHIN = 120.0
"""Seconds; generous, since test machines are shared."""


class Service:
    """One process; it can be killed, frozen and started again, and does not outlive the test process."""

    def __init__(self, process: ProcessCommand, *, folder: Path, guard: Guard, cwd: Path | None = None) -> None:
        self.process = process
        self._cwd = cwd
        self.log = LogFile(folder / f"{process.name}.log")
        self._guard = guard
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running process."""
        assert self._child is not None, f"{self.process.name} was not started"
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._child is not None and self._child.poll() is None

    def start(self, *, wait: bool = True) -> Self:
        """Start the process; return when it is ready, or at once."""
        self._child = spawn(self.process, log=self.log, guard=self._guard, cwd=self._cwd)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        settled = wait_until(lambda: not self.running or self.process.ready(self.log), within=READY_WITHIN)
        assert settled, f"{self.process.name} is not ready: {self.log.tail()}"
        assert self.running, f"{self.process.name} ended: {self.log.tail(20)}"

    def end(self, number: signal.Signals, within: float = 60.0) -> int:
        """Send a signal, SIGKILL to its children too, and return the exit code when the process has ended."""
        assert self._child is not None, f"{self.process.name} was not started"
        if number is signal.SIGKILL:
            kill_group(self._child.pid, number)
        else:
            self._child.send_signal(number)
        return self._child.wait(timeout=within)

    def stop(self) -> int:
        """End the process as an operator would, with SIGTERM."""
        return self.end(signal.SIGTERM)

    def kill9(self) -> None:
        """Kill the process without warning."""
        self.end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process in its tracks, connections open: nothing is answered until `thaw`."""
        kill_group(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        kill_group(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill the process if it runs."""
        if self.running:
            self.kill9()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Fleet:
    """Starts services that find their servers by the environment; all of them end with the `with` block."""

    def __init__(
        self,
        folder: Path,
        guard: Guard,
        *,
        nats_url: str,
        redis_url: str,
        engine_url: str = "",
        model: str = "scripted",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.code: Path | None = None
        """The checkout that processes run; None for the test's own."""
        self.model = model
        self.env = {
            "CONCLAVE_NATS_URL": nats_url,
            "CONCLAVE_REDIS_URL": redis_url,
            "CONCLAVE_ENGINE_URL": engine_url,
            "CONCLAVE_MODEL": model,
            "CONCLAVE_STATE": str(folder / "state"),
            "CONCLAVE_LOG_JSON": "true",
            # As in the container images: a banner stands before what is logged.
            "PYTHONUNBUFFERED": "1",
            **(env or {}),
        }
        self._guard = guard
        self.services: list[Service] = []

    def bridge(self, **env: str) -> Service:
        """A bridge; like every service it takes more by variables of its own."""
        return self._service("bridge", (sys.executable, "-m", "workers.cli", "bridge"), "bridge_ready", env)

    def control(self, *, threads: int = 32, **env: str) -> Service:
        return self._worker("control", "control", threads, env)

    def worker(self, *, threads: int = 32, model: str = "", **env: str) -> Service:
        """A worker of the model, pinned to the engine by its URL."""
        return self._worker("model", f"llm.{model or self.model}", threads, env)

    def beat(self, **env: str) -> Service:
        return self._service("beat", (*_CELERY, "beat", "-l", "INFO"), "beat: Starting", env)

    def _worker(self, part: str, queue: str, threads: int, env: Mapping[str, str]) -> Service:
        options = ("-Q", queue, "-n", f"{fresh(part)}@%h", "-P", "threads", "-c", str(threads), "-l", "INFO", "-E")
        return self._service(part, (*_CELERY, "worker", *options), " ready.", env)

    def _service(self, part: str, argv: tuple[str, ...], ready: str, env: Mapping[str, str]) -> Service:
        return self.add(
            ProcessCommand(name=fresh(part), argv=argv, env={**self.env, **env}, ready=log_says(ready))
        )

    def add(self, process: ProcessCommand) -> Service:
        """Take any other process in; it ends with the fleet."""
        service = Service(process, folder=self.folder / "logs", guard=self._guard, cwd=self.code)
        self.services.append(service)
        return service

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for service in self.services:
            service.close()


_CELERY = (sys.executable, "-m", "celery", "-A", "workers.app")
