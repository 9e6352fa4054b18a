"""One supervised process: started, watched until ready, started again when it exits, stopped."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable

from workers.errors import StackError
from workers.processes.command import ProcessCommand, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.restarts import Restarts
from workers.processes.sessions import end_session

Report = Callable[[str, str], None]
"""Takes a process's name and, in a few words, what happened to it; called from the supervising thread."""


class SupervisedProcess:
    """The life of one process over its restarts; not thread-safe, all calls come from one thread at a time."""

    def __init__(self, command: ProcessCommand, *, log: LogFile, guard: Guard, report: Report) -> None:
        self.command = command
        self.log = log
        self.ready = False
        self._guard = guard
        self._report = report
        self._child: subprocess.Popen[bytes] | None = None
        self._restarts = Restarts()
        self._started = 0.0
        self._start_at = 0.0
        self._stop_by: float | None = None

    @property
    def name(self) -> str:
        """The process's name."""
        return self.command.name

    @property
    def pid(self) -> int | None:
        """Process id while the process lives."""
        return self._child.pid if self._child is not None else None

    def step(self, *, may_start: bool) -> None:
        """Do what is due now: start, notice readiness or exit. Raises StackError when the process is given up."""
        if self._child is None:
            if may_start and time.monotonic() >= self._start_at:
                self._start()
        elif self._child.poll() is not None:
            self._after_exit(_cause(self._child.returncode))
        elif not self.ready:
            self._check_ready()

    def stop_step(self) -> bool:
        """Stop the process: SIGTERM at the first call, SIGKILL when its time is over. True when it is gone."""
        if self._child is None:
            return True
        if self._child.poll() is not None:
            self._clear()
        elif self._stop_by is None:
            self._stop_by = time.monotonic() + self.command.stop_within
            self._child.send_signal(signal.SIGTERM)
        elif time.monotonic() > self._stop_by:
            self._report(self.name, f"did not stop within {self.command.stop_within:g} s: killed")
            self._clear()
        return self._child is None

    def _start(self) -> None:
        try:
            self._child = spawn(self.command, log=self.log, guard=self._guard)
        except OSError as error:
            raise StackError(f"{self.name} can't be started: {error.strerror} ({self.command.argv[0]})") from error
        self._started = time.monotonic()

    def _check_ready(self) -> None:
        lived = time.monotonic() - self._started
        if self.command.ready(self.log):
            self.ready = True
            self._report(self.name, f"ready after {lived:.1f} s, pid {self.pid}")
        elif lived > self.command.ready_within:
            self._after_exit(f"was not ready within {self.command.ready_within:g} s")

    def _after_exit(self, cause: str) -> None:
        lived = time.monotonic() - self._started
        self._restarts = self._restarts.after_exit(lived=lived, was_ready=self.ready)
        self._clear()
        if self._restarts.given_up:
            raise StackError(self._why_given_up(cause))
        self._start_at = time.monotonic() + self._restarts.delay
        self._report(self.name, f"{cause}; starts again in {self._restarts.delay:.1f} s")

    def _clear(self) -> None:
        """Forget the child; what still lives of its session is killed."""
        assert self._child is not None
        end_session(self._child.pid, grace_s=0.0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=5)
        self._child = None
        self.ready = False

    def _why_given_up(self, cause: str) -> str:
        lines = "".join(f"\n    {line}" for line in self.log.tail()) or " nothing"
        return (
            f"{self.name} {cause}, {self._restarts.quick_exits} times in a row; the last lines of "
            f"{self.log.path}:{lines}"
        )


def _cause(code: int) -> str:
    return f"exited with {code}" if code >= 0 else f"died of {signal.Signals(-code).name}"
