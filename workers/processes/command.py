"""One process of a local stack as data: how it starts, when it is ready, how it stops."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workers.processes.guard import Guard
from workers.processes.log_file import LogFile

ReadyCheck = Callable[[LogFile], bool]
"""Answers at once whether the process is ready; is given the log of its present life."""


def at_once(log: LogFile) -> bool:
    """Take a process for ready as soon as it runs."""
    return True


@dataclass(frozen=True)
class ProcessCommand:
    """A command to keep running."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the starter."""
    ready: ReadyCheck = at_once
    after: tuple[str, ...] = ()
    """Names of processes that must be ready before this one starts, and that stop after it."""
    stops_before: tuple[str, ...] = ()
    """Names of processes that stop after this one without being awaited at the start."""
    ready_within: float = 60.0
    """Seconds from start to readiness."""
    stop_within: float = 10.0
    """Seconds from SIGTERM to SIGKILL."""


def spawn(
    process: ProcessCommand, *, log: LogFile, guard: Guard, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, watched by `guard`, writing into `log`.

    The terminal's Ctrl-C doesn't reach it: only its starter stops it. Raises OSError when the command can't run.
    """
    with log.begin() as output:
        child = subprocess.Popen(
            process.argv,
            env=guard.environment(process.env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guard.watch(child.pid)
    return child


def kill_group(child: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a child and all that share its process group; nothing happens when all are gone."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return
