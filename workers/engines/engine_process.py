"""One engine as a process under its shim: started, adopted, watched, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from workers.engines.engine import Launch
from workers.engines.engine_shim import LAUNCH, LOG, OVER, RUNNING, read, run_shim, write
from workers.processes.log_file import LogFile
from workers.processes.readiness import wait_until
from workers.processes.sessions import boot, end_session, is_running, python_call, start_session, started_at

GRACE_S = 10.0
"""From SIGTERM to SIGKILL: vLLM needs a few seconds to let go of its GPUs."""
SHIM_STARTS_WITHIN_S = 20.0
LOG_TAIL_BYTES = 64 * 1024


class EngineProcess:
    """An engine that runs, or has run, in a folder."""

    def __init__(self, folder: Path, running: dict[str, Any], shim: subprocess.Popen[bytes] | None = None) -> None:
        self.folder = folder
        self._running = running
        self._shim = shim

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
        """Whether the engine and its shim run."""
        self._collect()
        shim_runs = is_running(self._running["shim"], self._running["shim_started"])
        return shim_runs and is_running(self.pid, self._running["engine_started"])

    def end(self) -> None:
        """End the engine and everything it started; returns when nothing is left."""
        end_engine(self.folder)
        self._collect()

    def log_tail(self) -> str:
        """Return the end of the engine's log."""
        return _log_tail(self.folder)

    def _collect(self) -> None:
        if self._shim is not None:
            self._shim.poll()


def start(folder: Path, launch: Launch, *, port: int, model: str, fingerprint: str) -> EngineProcess:
    """Start an engine under a shim; its lease must run already.

    What is left of an earlier engine in the folder is ended first. Raises FileNotFoundError when the command
    can't be run, with the log saying why.
    """
    end_engine(folder)
    (folder / OVER).unlink(missing_ok=True)
    identity = uuid.uuid4().hex
    content = {"id": identity, "argv": list(launch.argv), "grace_s": GRACE_S}
    write(folder / LAUNCH, {**content, "port": port, "model": model, "fingerprint": fingerprint})
    shim = start_session(
        python_call(run_shim, str(folder)),
        # The environment holds the engine's key: it goes from process to process, never through a file.
        env={**os.environ, **launch.env},
        output=subprocess.DEVNULL,
        errors=None,
    )
    return EngineProcess(folder, _wait_for_running(folder, identity, shim), shim)


def adopt(folder: Path, fingerprint: str) -> EngineProcess | None:
    """Return the engine that a vanished worker left in the folder if it has this fingerprint and still runs."""
    running = _read_running(folder)
    if not running or (running["fingerprint"], running["boot"]) != (fingerprint, boot()):
        return None
    process = EngineProcess(folder, running)
    return process if process.alive else None


def end_engine(folder: Path) -> None:
    """End the engine that runs in a folder, its shim alive or not; returns when nothing is left."""
    running = _read_running(folder)
    if not running or running["boot"] != boot():
        return
    shim, started = running["shim"], running["shim_started"]
    if is_running(shim, started):
        with suppress(ProcessLookupError):
            os.kill(shim, signal.SIGTERM)
    wait_until(lambda: not is_running(shim, started), within=2 * GRACE_S, every=0.05)
    if started_at(running["engine"]) in (0, running["engine_started"]):
        end_session(running["engine"], grace_s=0.0)
    (folder / RUNNING).unlink(missing_ok=True)


def _read_running(folder: Path) -> dict[str, Any]:
    """Read what runs in a folder; where version 0.1 started it, the shim is called a keeper there."""
    return {key.replace("keeper", "shim"): value for key, value in read(folder / RUNNING).items()}


def _log_tail(folder: Path) -> str:
    return LogFile(folder / LOG).text(LOG_TAIL_BYTES)


def _wait_for_running(folder: Path, identity: str, shim: subprocess.Popen[bytes]) -> dict[str, Any]:
    def report() -> dict[str, Any]:
        reports = (read(folder / name) for name in (RUNNING, OVER))
        return next((report for report in reports if report.get("id") == identity), {})

    wait_until(lambda: shim.poll() is not None or bool(report()), within=SHIM_STARTS_WITHIN_S)
    found = report()
    if "engine" in found:
        return found
    if found:
        raise FileNotFoundError(_log_tail(folder))
    shim.kill()
    raise RuntimeError(f"the engine's shim did not start in {folder}")
