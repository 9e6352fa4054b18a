"""One supervised process: started, watched until ready, started again when it dies, stopped."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable

from workers.errors import StackError
from workers.processes.command import ProcessCommand, kill_group, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.restarts import Restarts

Announce = Callable[[str, str], None]
"""Is told a process's name and, in a few words, what happened to it; called from the supervising thread."""


class SupervisedProcess:
    """The life of one process over its restarts; not thread-safe, all calls come from one thread at a time."""

    def __init__(self, process: ProcessCommand, *, log: LogFile, guard: Guard, announce: Announce) -> None:
        self.process = process
        self.log = log
        self.ready = False
        self._guard = guard
        self._announce = announce
        self._child: subprocess.Popen[bytes] | None = None
        self._restarts = Restarts()
        self._started = 0.0
        self._start_at = 0.0
        self._stopping_since: float | None = None

    @property
    def name(self) -> str:
        """The process's name."""
        return self.process.name

    @property
    def pid(self) -> int | None:
        """Process id while the process lives."""
        return self._child.pid if self._child is not None else None

    def step(self, *, may_start: bool) -> None:
        """Do what is due now: start, notice readiness or death. Raises StackError when the process is given up."""
        if self._child is None:
            if may_start and time.monotonic() >= self._start_at:
                self._start()
        elif self._child.poll() is not None:
            self._bury(_cause(self._child.returncode))
        elif not self.ready:
            self._look()

    def step_down(self) -> bool:
        """Stop the process: SIGTERM at the first call, SIGKILL when its time is over. True when it is gone."""
        if self._child is None:
            return True
        if self._child.poll() is not None:
            self._clear()
            return True
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._child.send_signal(signal.SIGTERM)
        elif time.monotonic() - self._stopping_since > self.process.stop_within:
            self._announce(self.name, f"did not stop within {self.process.stop_within:g} s: killed")
            kill_group(self._child)
        return False

    def _start(self) -> None:
        try:
            self._child = spawn(self.process, log=self.log, guard=self._guard)
        except OSError as error:
            raise StackError(f"{self.name} can't be started: {error.strerror} ({self.process.argv[0]})") from error
        self._started = time.monotonic()

    def _look(self) -> None:
        lived = time.monotonic() - self._started
        if self.process.ready(self.log):
            self.ready = True
            self._announce(self.name, f"ready after {lived:.1f} s, pid {self.pid}")
        elif lived > self.process.ready_within:
            self._bury(f"was not ready within {self.process.ready_within:g} s")

    def _bury(self, cause: str) -> None:
        lived = time.monotonic() - self._started
        self._restarts = self._restarts.after_death(lived=lived, was_ready=self.ready)
        self._clear()
        if self._restarts.given_up:
            raise StackError(self._obituary(cause))
        self._start_at = time.monotonic() + self._restarts.delay
        self._announce(self.name, f"{cause}; starts again in {self._restarts.delay:.1f} s")

    def _clear(self) -> None:
        """Forget the child; whatever of its group it left behind is killed."""
        assert self._child is not None
        kill_group(self._child)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=5)
        self._child = None
        self.ready = False

    def _obituary(self, cause: str) -> str:
        words = "".join(f"\n    {line}" for line in self.log.tail()) or " nothing"
        return (
            f"{self.name} {cause}, {self._restarts.quick_deaths} times in a row; its last words in "
            f"{self.log.path}:{words}"
        )


def _cause(code: int) -> str:
    if code >= 0:
        return f"exited with {code}"
    return f"died of {signal.Signals(-code).name}"
