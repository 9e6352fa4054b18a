"""Ending an engine whole: every process of its session, whatever its own way of leaving was.

An engine is started as the leader of a session; its children stay in it. Uses the standard library alone, since
the keeper, which must stay small, uses it too.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOOK_EVERY_S = 0.05
UNKILLABLE_AFTER_S = 30.0


def members(session: int) -> list[int]:
    """Return the live processes of a session, zombies not counted; without /proc only its leader is known."""
    if not Path("/proc/self/stat").exists():
        return [session] if _is_there(session) else []
    return [pid for pid in _processes() if _state(pid)[1:] == [str(session)] and _state(pid)[:1] != ["Z"]]


def end_session(session: int, *, grace_s: float) -> None:
    """Ask a session to leave with SIGTERM, kill what is still there after `grace_s`, return when none is left.

    Returns also when a process can't be killed within half a minute, as happens when a GPU's driver hangs.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while members(session) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    deadline = time.monotonic() + UNKILLABLE_AFTER_S
    while (left := members(session)) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_EVERY_S)


def started_at(pid: int) -> int:
    """Return when a process began, in clock ticks since boot; 0 if it is gone or nobody can tell."""
    fields = _stat(pid)
    return int(fields[19]) if len(fields) > 19 else 0


def is_running(pid: int, started: int) -> bool:
    """Whether that very process lives: a zombie doesn't, nor does a later one that got its number."""
    fields = _stat(pid)
    if not fields:
        return not Path("/proc/self/stat").exists() and _is_there(pid)
    return fields[0] != "Z" and int(fields[19]) == started


def boot() -> str:
    """Tell this start of the machine from others, after which process ids begin anew; empty if nobody can tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return ""


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _state(pid: int) -> list[str]:
    """Return state and session of a process; empty if it is gone."""
    fields = _stat(pid)
    return [fields[0], fields[3]] if fields else []


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the command's name, which may hold blanks and parentheses."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
