"""One engine as a process under its keeper: started, adopted, watched, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from workers.engines.engine import Launch
from workers.engines.engine_shim import LAUNCH, LOG, OVER, RUNNING, read, run_shim, write
from workers.processes.sessions import boot, end_session, is_running, started_at

GRACE_S = 10.0
"""From SIGTERM to SIGKILL: vLLM needs a few seconds to let go of its GPUs."""
KEEPER_STARTS_WITHIN_S = 20.0
LOG_TAIL_BYTES = 64 * 1024
KEEP = (
    "import pathlib, sys; sys.path.insert(0, sys.argv[1]); "
    f"from {run_shim.__module__} import {run_shim.__name__} as run; sys.exit(run(pathlib.Path(sys.argv[2])))"
)
"""Starts the keeper without PYTHONPATH, which the engine would inherit: it may be another Python's."""


class EngineProcess:
    """An engine that runs, or has run, in a folder."""

    def __init__(
        self, folder: Path, running: dict[str, Any], keeper: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.folder = folder
        self._running = running
        self._keeper = keeper

    @property
    def port(self) -> int:
        """Where it was told to listen."""
        return int(self._running["port"])

    @property
    def pid(self) -> int:
        """Process id of the engine; leader of its session."""
        return int(self._running["engine"])

    @property
    def alive(self) -> bool:
        """Whether the engine and its keeper run."""
        return self._keeper_runs() and is_running(self.pid, self._running["engine_started"])

    def end(self) -> None:
        """End the engine and everything it started; returns when nothing is left."""
        end_engine(self.folder)
        self._collect()

    def log_tail(self) -> str:
        """Return the end of what the engine said."""
        return log_tail(self.folder)

    def _keeper_runs(self) -> bool:
        self._collect()
        return is_running(self._running["keeper"], self._running["keeper_started"])

    def _collect(self) -> None:
        if self._keeper is not None:
            self._keeper.poll()


def start(folder: Path, launch: Launch, *, port: int, model: str, fingerprint: str) -> EngineProcess:
    """Start an engine under a keeper; its lease must run already.

    What is left of an earlier engine in the folder is ended first. Raises FileNotFoundError when the command
    can't be run, with the log saying why.
    """
    end_engine(folder)
    (folder / OVER).unlink(missing_ok=True)
    identity = uuid.uuid4().hex
    content = {"id": identity, "argv": list(launch.argv), "grace_s": GRACE_S}
    write(folder / LAUNCH, {**content, "port": port, "model": model, "fingerprint": fingerprint})
    # The environment holds the engine's key: it goes from process to process, never through a file.
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEP, str(Path(__file__).parents[2]), str(folder)],
        env={**os.environ, **launch.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    return EngineProcess(folder, _wait_for_running(folder, identity, keeper), keeper)


def adopt(folder: Path, fingerprint: str) -> EngineProcess | None:
    """Return the engine that a vanished worker left in the folder if it is the very one that is wanted."""
    running = read(folder / RUNNING)
    if not running or (running["fingerprint"], running["boot"]) != (fingerprint, boot()):
        return None
    process = EngineProcess(folder, running)
    return process if process.alive else None


def end_engine(folder: Path) -> None:
    """End whatever engine runs in a folder, its keeper alive or not; returns when nothing is left."""
    running = read(folder / RUNNING)
    if not running or running["boot"] != boot():
        return
    keeper, started = running["keeper"], running["keeper_started"]
    if is_running(keeper, started):
        with suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGTERM)
    deadline = time.monotonic() + 2 * GRACE_S
    while is_running(keeper, started) and time.monotonic() < deadline:
        time.sleep(0.05)
    if started_at(running["engine"]) in (0, running["engine_started"]):
        end_session(running["engine"], grace_s=0.0)
    (folder / RUNNING).unlink(missing_ok=True)


def log_tail(folder: Path) -> str:
    """Return the end of what the folder's engine said."""
    try:
        with (folder / LOG).open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - LOG_TAIL_BYTES))
            return log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _wait_for_running(folder: Path, identity: str, keeper: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + KEEPER_STARTS_WITHIN_S
    while time.monotonic() < deadline:
        for name in (RUNNING, OVER):
            found = read(folder / name)
            if found.get("id") == identity:
                if "engine" in found:
                    return found
                raise FileNotFoundError(log_tail(folder))
        if keeper.poll() is not None and not (folder / OVER).exists():
            break
        time.sleep(0.02)
    keeper.kill()
    raise RuntimeError(f"the engine's keeper did not start in {folder}")
