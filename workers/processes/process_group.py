"""Keeps processes running in the order of their needs, and stops all of them, children of children too."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.errors import StackError
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.periodic import PeriodicThread
from workers.processes.supervised_process import Report, SupervisedProcess

TICK = 0.05
"""Seconds between two looks at every process."""


def silent(name: str, event: str) -> None:
    """Report nothing."""


class ProcessGroup:
    """Runs processes while its `with` block runs; a thread watches them.

    `logs` is the folder of their log files. `pids_changed` is called when all processes are ready and a process id
    differs from the last call. However the block is left, and even if this process is killed, nothing remains.
    """

    def __init__(
        self,
        commands: Sequence[ProcessCommand],
        *,
        logs: Path,
        report: Report = silent,
        pids_changed: Callable[[Mapping[str, int]], None] = lambda pids: None,
    ) -> None:
        self._commands = commands
        self._logs = logs
        self._report = report
        self._pids_changed = pids_changed
        self._processes: list[SupervisedProcess] = []
        self._guard: Guard | None = None
        self._failure: Exception | None = None
        self._all_ready = threading.Event()
        # A plain value, since signal handlers set it: an Event's lock may be held by the very code they interrupt.
        self._over = False
        self._supervision = PeriodicThread("supervisor", self._supervise, every_s=TICK)
        self._reported: Mapping[str, int] = {}

    def __enter__(self) -> Self:
        self._guard = guard = Guard()
        for command in self._commands:
            log = LogFile(self._logs / f"{command.name}.log")
            log.set_aside()
            self._processes.append(SupervisedProcess(command, log=log, guard=guard, report=self._report))
        self._supervision.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def logs(self) -> Mapping[str, LogFile]:
        """The log of every process by name."""
        return {process.name: process.log for process in self._processes}

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of what lives now by name, this process and the guard among them."""
        pids = {process.name: pid for process in self._processes if (pid := process.pid) is not None}
        guard = {"guard": self._guard.pid} if self._guard is not None else {}
        return {"supervisor": os.getpid(), **guard, **pids}

    def wait_ready(self, within: float) -> None:
        """Return when every process is ready.

        Raises StackError when one is given up or `within` seconds are over.
        """
        deadline = time.monotonic() + within
        while not self._all_ready.wait(TICK):
            self.check()
            if time.monotonic() > deadline:
                late = ", ".join(process.name for process in self._processes if not process.ready)
                raise StackError(f"not ready within {within:g} s: {late}; see their logs in {self._logs}")

    def check(self) -> None:
        """Raise what ended the supervision, a StackError when a process was given up; else return at once."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop every process after those that need it, then kill what is left; a second call does nothing."""
        self._over = True
        self._supervision.stop()
        remaining = list(self._processes)
        while remaining:
            needed = _needed_by(remaining)
            remaining = [process for process in remaining if process.name in needed or not process.stop_step()]
            time.sleep(TICK / 5)
        if self._guard is not None:
            self._guard.close()

    def kill(self) -> None:
        """Kill everything at once; `stop` has nothing left to wait for then."""
        self._over = True
        if self._guard is not None:
            self._guard.kill_all()

    def _supervise(self) -> None:
        if self._over:
            return
        try:
            self._step()
        except Exception as failure:  # raised by `check`, in the thread that waits
            self._failure, self._over = failure, True

    def _step(self) -> None:
        ready = {process.name for process in self._processes if process.ready}
        for process in self._processes:
            process.step(may_start=ready.issuperset(process.command.after))
            process.log.rotate()
        if all(process.ready for process in self._processes) and self._reported != self.pids:
            self._reported = self.pids
            self._pids_changed(self._reported)
            self._all_ready.set()


def _needed_by(processes: Sequence[SupervisedProcess]) -> set[str]:
    commands = [process.command for process in processes]
    return {name for command in commands for name in (*command.after, *command.stops_before)}
