"""Nothing outlives its starter: a small process that ends what its owner started when the owner is gone.

Children are known by a mark in their environment, which theirs inherit whatever session they move to, and by the
session each was started in, since some overwrite their environment with a title (Valkey does).
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

import psutil

MARK = "CONCLAVE_STACK_MARK"
"""Environment variable of every process that a stack started."""


def started(mark: str, leaders: Mapping[int, float]) -> list[psutil.Process]:
    """Find the live processes that carry `mark` or belong to a leader's session, and all their descendants.

    `leaders` maps process ids to creation times, so that a stranger with a reused id is not taken for a leader.
    The calling process is never included.
    """
    everybody = {process.pid: process for process in psutil.process_iter()}
    strangers = {pid for pid in leaders if pid in everybody and _created(everybody[pid]) != leaders[pid]}
    sessions = set(leaders) - strangers
    ours = [process for process in everybody.values() if _is_ours(process, mark, sessions)]
    found = {process.pid: process for process in [*ours, *_descendants(ours)]}
    found.pop(os.getpid(), None)
    return list(found.values())


def kill_started(mark: str, leaders: Mapping[int, float]) -> None:
    """Kill all of them until two looks in a row find nothing: a process may fork while it is looked at."""
    clean_looks = 0
    while clean_looks < 2:
        victims = started(mark, leaders)
        clean_looks = 0 if victims else clean_looks + 1
        for victim in victims:
            kill(victim)
        psutil.wait_procs(victims, timeout=1)
        time.sleep(0.02)


def kill(process: psutil.Process) -> None:
    """Kill -9 a process; one that is gone already, or somebody else's, is left alone."""
    try:
        process.kill()
    except psutil.Error:
        return


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to read its exit code does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class Guard:
    """Watches over its creator's children; create it before the first of them."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self._leaders: dict[int, float] = {}
        # -P keeps this folder off the import path: its nats.py and valkey.py would hide the libraries.
        self._process = subprocess.Popen(
            [sys.executable, "-P", os.path.abspath(__file__), self.mark],
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
        try:
            self._leaders[leader] = psutil.Process(leader).create_time()
        except psutil.Error:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{leader} {self._leaders[leader]!r}\n")
            self._process.stdin.flush()

    def kill_all(self) -> None:
        """Kill whatever was started under this guard and still lives."""
        kill_started(self.mark, self._leaders)

    def close(self) -> None:
        """Kill what still lives and end the guard; a second call does nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        self.kill_all()


def _is_ours(process: psutil.Process, mark: str, sessions: set[int]) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return os.getsid(process.pid) in sessions or process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False


def _created(process: psutil.Process) -> float | None:
    try:
        return process.create_time()
    except psutil.Error:
        return None


def _descendants(processes: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            yield from process.children(recursive=True)


def main(mark: str) -> None:
    """Note the leaders named on standard input until the owner closes it, then kill everything."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    leaders: dict[int, float] = {}
    for line in sys.stdin:
        leader, created = line.split()
        leaders[int(leader)] = float(created)
    kill_started(mark, leaders)


if __name__ == "__main__":
    main(sys.argv[1])
