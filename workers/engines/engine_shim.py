"""The engine's parent: a small process that starts one engine and ends it when its lease has run out.

It outlives the worker that started it, so that the next worker can adopt the engine instead of loading the model
again; it does not outlive the lease. It imports little, to be small and to start at once.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from workers.processes.sessions import boot, end_session, start_session, started_at

LOOK_EVERY_S = 0.2
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

LAUNCH, LEASE, RUNNING, OVER, LOG = "launch.json", "lease.json", "running.json", "over.json", "engine.log"
"""Files of an engine's folder: what to start, until when, what runs, how it ended, what it wrote."""


def run_shim(path: str) -> int:
    """Start the engine that the folder at `path` describes and stay until it is over; returns its exit code."""
    folder = Path(path)
    launch = read(folder / LAUNCH)
    _be_parent_of_orphans()
    stop_signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: stop_signals.append(received))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    engine = _start(folder, launch)
    if engine is None:
        write(folder / OVER, {"id": launch["id"], "code": 127, "why": "could not be started"})
        return 127
    write(folder / RUNNING, _running(launch, engine))
    why = _stay(engine, lambda: bool(stop_signals), folder / LEASE)
    end_session(engine.pid, grace_s=launch["grace_s"])
    code = engine.wait()
    _collect_orphans()
    write(folder / OVER, {**read(folder / RUNNING), "code": code, "why": why})
    (folder / RUNNING).unlink(missing_ok=True)
    return code


def read(path: Path) -> dict[str, Any]:
    """Return a file's JSON; empty if there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def write(path: Path, content: dict[str, Any]) -> None:
    """Put JSON in place of a file's content, whole or not at all; readable by this user only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content))
    os.replace(draft, path)


def _start(folder: Path, launch: dict[str, Any]) -> subprocess.Popen[bytes] | None:
    with (folder / LOG).open("wb") as log:
        try:
            return start_session(launch["argv"], output=log, before_exec=_die_with_parent)
        except OSError as error:
            log.write(f"{type(error).__name__}: {launch['argv'][0]}: {error.strerror}\n".encode())
            return None


def _die_with_parent() -> None:
    """Let the kernel kill the engine if its shim is killed: no other process would know of it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _be_parent_of_orphans() -> None:
    """Become the parent of what the engine's dead children leave: in a container no other process collects it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _collect_orphans() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _running(launch: dict[str, Any], engine: subprocess.Popen[bytes]) -> dict[str, Any]:
    return {
        **{key: launch[key] for key in ("id", "fingerprint", "port", "model")},
        "boot": boot(),
        "shim": os.getpid(),
        "shim_started": started_at(os.getpid()),
        "engine": engine.pid,
        "engine_started": started_at(engine.pid),
    }


def _stay(engine: subprocess.Popen[bytes], asked_to_stop: Callable[[], bool], lease: Path) -> str:
    """Wait for a reason to end the engine, and return it."""
    while True:
        if engine.poll() is not None:
            return "exited by itself"
        if asked_to_stop():
            return "asked to stop"
        # Monotonic time is the same in every process of a host and never jumps.
        if time.monotonic() > read(lease).get("until", 0.0):
            return "its lease ran out"
        time.sleep(LOOK_EVERY_S)
