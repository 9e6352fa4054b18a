"""Runs a program that may do anything, with bounds on its time, memory and output, and ends all it started.

A bound, not a jail: the program reads what its user may read. Code that may be hostile belongs into a container.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from domain.value import Value
from workers.errors import StackError
from workers.processes.readiness import wait_until
from workers.processes.sessions import kill_group, python_call
from workers.proving.confined import CANNOT_CONFINE, run

LOOK_EVERY_S = 0.01


class SandboxBounds(Value):
    """What one check may use."""

    time_s: float = Field(default=10.0, gt=0, le=3600)
    memory_mb: int = Field(default=1024, ge=64)
    """Address space of each of its processes; on Linux."""
    output_bytes: int = Field(default=1024 * 1024, ge=1024)
    """Of what it prints, and of each file that it writes."""


@dataclass(frozen=True)
class Finished:
    """How a program ended."""

    code: int | None
    """Its exit code, negative for a signal; None if its time was over."""
    output: bytes
    """What it and all that it started printed, on standard output and standard error."""


def run_confined(
    argv: Sequence[str], *, files: Mapping[str, str], stdin: str = "", bounds: SandboxBounds
) -> Finished:
    """Run a program in a folder of its own that holds the files, and return when it and its children are gone.

    Its environment holds no variable of ours. Raises StackError where it can't be confined.
    """
    with tempfile.TemporaryDirectory(prefix="conclave-check-") as name, tempfile.TemporaryFile() as output:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8", errors="replace")
        with tempfile.TemporaryFile() as given:
            given.write(stdin.encode(errors="replace"))
            given.seek(0)
            code = _wait(
                subprocess.Popen(
                    python_call(run, str(bounds.time_s), str(bounds.memory_mb), str(bounds.output_bytes), *argv),
                    cwd=folder,
                    env=_environment(folder),
                    stdin=given,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                ),
                bounds.time_s,
            )
        output.seek(0)
        finished = Finished(code, output.read(bounds.output_bytes))
    if code == CANNOT_CONFINE:
        raise StackError(finished.output.decode(errors="replace").strip())
    return finished


def _wait(process: subprocess.Popen[bytes], time_s: float) -> int | None:
    in_time = wait_until(lambda: _ended(process.pid), within=time_s, every=LOOK_EVERY_S)
    # Before its exit code is read, since its number may be another's afterwards.
    kill_group(process.pid)
    code = process.wait()
    return code if in_time else None


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)}
