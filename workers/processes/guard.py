"""Nothing outlives its starter: a small process that ends what its owner started when the owner is gone.

Children are known by a mark in their environment, which theirs inherit whatever session they move to, and by the
session each was started in, since a program may overwrite its environment with a title.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import psutil

from workers.processes.readiness import wait_until
from workers.processes.sessions import all_gone, kill, python_call, session_of, started_at

MARK = "CONCLAVE_STACK_MARK"
"""Environment variable of every process that a stack started."""
LAST_CHILD_WITHIN_S = 1.0
"""A child begun in its owner's last moment shows its mark only once its program is loaded. Until it is, the child
holds the owner's end of the pipe open, so that the guard does not begin to look before."""


def find_started(mark: str, leaders: Mapping[int, int]) -> list[psutil.Process]:
    """Find the live processes that carry `mark` or belong to a leader's session, and all their descendants.

    `leaders` maps process ids to their `started_at`, so that a later process with a reused id is not taken for a
    leader. The calling process is never included.
    """
    sessions = {pid for pid, began in leaders.items() if started_at(pid) in (0, began)}
    ours = [process for process in psutil.process_iter() if _is_ours(process, mark, sessions)]
    found = {process.pid: process for process in [*ours, *_descendants(ours)]}
    found.pop(os.getpid(), None)
    return list(found.values())


def kill_started(mark: str, leaders: Mapping[int, int], *, for_s: float = 0.0) -> None:
    """Kill all of them for so long, and until two looks in a row find none: a process may fork while looked at."""
    until, clean_looks = time.monotonic() + for_s, 0
    while clean_looks < 2 or time.monotonic() < until:
        victims = [process.pid for process in find_started(mark, leaders)]
        clean_looks = 0 if victims else clean_looks + 1
        kill(victims)
        wait_until(partial(all_gone, victims), within=1.0)
        time.sleep(0.02)


class Guard:
    """Watches over its creator's children; create it before the first of them."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self._leaders: dict[int, int] = {}
        self._process = subprocess.Popen(
            python_call(outlive_owner, self.mark),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    @property
    def pid(self) -> int:
        """Process id of the guard itself."""
        return self._process.pid

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Build a child's environment: this process's own, `extra`, and the mark."""
        return {**os.environ, **extra, MARK: self.mark}

    def watch(self, leader: int) -> None:
        """Take charge of a child that leads a session of its own, and of that session."""
        self._leaders[leader] = started_at(leader)
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{leader} {self._leaders[leader]}\n")
            self._process.stdin.flush()

    def kill_all(self) -> None:
        """Kill what was started under this guard and still lives."""
        kill_started(self.mark, self._leaders)

    def close(self) -> None:
        """Kill what still lives and end the guard; a second call finds nothing to do."""
        self.kill_all()
        self._process.kill()
        self._process.communicate()


def _is_ours(process: psutil.Process, mark: str, sessions: set[int]) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return session_of(process.pid) in sessions or process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False


def _descendants(processes: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            yield from process.children(recursive=True)


def outlive_owner(mark: str) -> None:
    """Note the leaders named on standard input until the owner closes it, then kill everything."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    leaders: dict[int, int] = {}
    for line in sys.stdin:
        leader, began = line.split()
        leaders[int(leader)] = int(began)
    kill_started(mark, leaders, for_s=LAST_CHILD_WITHIN_S)
