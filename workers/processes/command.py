"""One process to keep running as data: how it starts, when it is ready, how it stops."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.readiness import ReadyCheck, at_once
from workers.processes.sessions import start_session


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
    command: ProcessCommand, *, log: LogFile, guard: Guard, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, watched by `guard`, writing into `log`.

    Raises OSError when the command can't run.
    """
    with log.begin() as output:
        child = start_session(command.argv, output=output, env=guard.environment(command.env), cwd=cwd)
    guard.watch(child.pid)
    return child
