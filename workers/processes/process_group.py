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
from workers.processes.supervised_process import Announce, SupervisedProcess

TICK = 0.05
"""Seconds between two looks at every process."""


def unheard(name: str, words: str) -> None:
    """Announce to nobody."""


class ProcessGroup:
    """Runs processes while its `with` block runs; a thread watches them.

    `logs` is the folder of their log files. `pids_changed` is called whenever all parts are ready and a process id
    differs from the last call. However the block is left, and even if this process is killed, nothing remains.
    """

    def __init__(
        self,
        processes: Sequence[ProcessCommand],
        *,
        logs: Path,
        announce: Announce = unheard,
        pids_changed: Callable[[Mapping[str, int]], None] = lambda pids: None,
    ) -> None:
        self._processes = processes
        self._logs = logs
        self._announce = announce
        self._pids_changed = pids_changed
        self._parts: list[SupervisedProcess] = []
        self._guard: Guard | None = None
        self._failure: Exception | None = None
        self._all_ready = threading.Event()
        # A plain value, since signal handlers set it: an Event's lock may be held by the very code they interrupt.
        self._over = False
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._reported: Mapping[str, int] = {}

    def __enter__(self) -> Self:
        self._guard = guard = Guard()
        for process in self._processes:
            log = LogFile(self._logs / f"{process.name}.log")
            log.set_aside()
            self._parts.append(SupervisedProcess(process, log=log, guard=guard, announce=self._announce))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def logs(self) -> Mapping[str, LogFile]:
        """The log of every process by name."""
        return {part.name: part.log for part in self._parts}

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of what lives now by name, this process and the guard among them."""
        parts = {part.name: pid for part in self._parts if (pid := part.pid) is not None}
        guard = {"guard": self._guard.pid} if self._guard is not None else {}
        return {"supervisor": os.getpid(), **guard, **parts}

    def wait_ready(self, within: float) -> None:
        """Return when every process is ready.

        Raises StackError when one is given up or `within` seconds are over.
        """
        deadline = time.monotonic() + within
        while not self._all_ready.wait(TICK):
            self.check()
            if time.monotonic() > deadline:
                late = ", ".join(part.name for part in self._parts if not part.ready)
                raise StackError(f"not ready within {within:g} s: {late}; see their logs in {self._logs}")

    def check(self) -> None:
        """Raise what ended the supervision, a StackError when a process was given up; else return at once."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop every process after those that need it, then kill what is left; a second call does nothing."""
        self._over = True
        if self._thread.ident is not None:
            self._thread.join()
        remaining = list(self._parts)
        while remaining:
            needed = _needed_by(remaining)
            remaining = [part for part in remaining if part.name in needed or not part.step_down()]
            time.sleep(TICK / 5)
        if self._guard is not None:
            self._guard.close()

    def kill(self) -> None:
        """Kill everything at once; `stop` has nothing left to wait for then."""
        self._over = True
        if self._guard is not None:
            self._guard.kill_all()

    def _supervise(self) -> None:
        try:
            while not self._over:
                self._step()
                time.sleep(TICK)
        except Exception as failure:  # handed to the thread that asks: nobody sees a thread die
            self._failure = failure

    def _step(self) -> None:
        ready = {part.name for part in self._parts if part.ready}
        for part in self._parts:
            part.step(may_start=ready.issuperset(part.process.after))
            part.log.trim()
        if all(part.ready for part in self._parts) and self._reported != self.pids:
            self._reported = self.pids
            self._pids_changed(self._reported)
            self._all_ready.set()


def _needed_by(parts: Sequence[SupervisedProcess]) -> set[str]:
    return {name for part in parts for name in (*part.process.after, *part.process.stops_before)}
