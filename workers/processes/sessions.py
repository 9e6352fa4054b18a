"""Child processes as sessions: each child leads one, its own children stay in it, and all of it can be ended.

Uses psutil, which sees a session whole on every system. The engine shim, which must stay small, uses this module
too: psutil adds 30 ms to the 120 ms of its start and 1.6 MB to its 13 MB.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from workers.processes.readiness import wait_until

LOOK_EVERY_S = 0.05
UNKILLABLE_AFTER_S = 30.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def start_session(
    argv: Sequence[str],
    *,
    output: int | IO[bytes],
    errors: int | None = subprocess.STDOUT,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    before_exec: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process as the leader of a session, which the terminal's Ctrl-C doesn't reach.

    `errors` takes standard error, None this process's own. Raises OSError when the command can't run.
    """
    return subprocess.Popen(
        argv,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
        # Python's descriptors close at the exec by themselves. Closed before, the guard's pipe would tell of the
        # owner's end while this child still looks for its program, and shows no mark by which it is known.
        close_fds=False,
        preexec_fn=before_exec,
    )


def python_call(function: Callable[..., int | None], *arguments: str) -> list[str]:
    """Build the command line of a new Python that calls a function of this installation with these strings.

    It finds the function without PYTHONPATH, which its own children would inherit: they may run another Python.
    """
    call = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        f"from {function.__module__} import {function.__name__} as call; sys.exit(call(*sys.argv[2:]))"
    )
    return [sys.executable, "-P", "-c", call, str(Path(__file__).parents[2]), *arguments]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to read its exit code does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def started_at(pid: int) -> int:
    """Return when a process began, in clock ticks; 0 if it is gone. Tells it from a later one with its number."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        return 0
    # Linux counts from its boot, and the time of the boot moves whenever the clock is set.
    return round((created - (psutil.boot_time() if psutil.LINUX else 0.0)) * TICKS_PER_S)


def all_gone(pids: Iterable[int]) -> bool:
    """Whether none of the processes runs."""
    return not any(map(alive, pids))


def is_running(pid: int, started: int) -> bool:
    """Whether that very process lives: a zombie doesn't, nor does a later one that got its number."""
    return alive(pid) and started_at(pid) == started


def boot() -> str:
    """Name this start of the machine, since process ids begin anew with each; empty where it has no name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return ""


def members(session: int) -> list[int]:
    """Return the live processes of a session, zombies not counted."""
    return [pid for pid in psutil.pids() if session_of(pid) == session and alive(pid)]


def session_of(pid: int) -> int | None:
    """Return the session of a process; None if it is gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return None


def kill_group(leader: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a child and all that share its process group; nothing happens when all are gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def end_session(session: int, *, grace_s: float) -> None:
    """Ask a session to leave with SIGTERM, kill what is still there after `grace_s`, return when none is left.

    Returns also when a process can't be killed within half a minute, as happens when a GPU's driver hangs.
    """
    kill_group(session, signal.SIGTERM)
    wait_until(lambda: not members(session), within=grace_s, every=LOOK_EVERY_S)
    wait_until(lambda: not _kill_members(session), within=UNKILLABLE_AFTER_S, every=LOOK_EVERY_S)


def kill(pids: Sequence[int]) -> None:
    """Send SIGKILL to each process; one that is gone, or another user's, is left alone."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _kill_members(session: int) -> list[int]:
    remaining = members(session)
    kill(remaining)
    return remaining
