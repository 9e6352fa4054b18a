"""A stack of the real servers and a small family of processes, for tests that stop and kill it from outside.

Run as `python -m tests.support.sample_stack FOLDER`: NATS, Valkey, and a parent with one child in its own group
and one that fled to a session of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from workers.processes.command import ProcessCommand
from workers.processes.sessions import alive
from workers.stack.layout import Addresses, StackOptions
from workers.stack.run import run_stack

NO_ENGINE = StackOptions(engine="http://127.0.0.1:9/v1")
FAMILY = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
print("family complete", flush=True)
time.sleep(600)
"""
FOLDER = "SAMPLE_STACK_FOLDER"


def python(name: str, code: str, **options: object) -> ProcessCommand:
    """Describe a process that runs Python code."""
    return ProcessCommand(name, (sys.executable, "-u", "-c", code), **options)  # type: ignore[arg-type]


def family(where: Addresses, options: StackOptions, state: Path) -> Sequence[ProcessCommand]:
    """Describe the parent of two."""
    return [python("family", FAMILY, env={FOLDER: str(state)}, after=("nats", "valkey"))]


def living_in(folder: Path) -> list[psutil.Process]:
    """Find the processes that belong to a stack in `folder`, by directory, command or environment."""
    return [process for process in psutil.process_iter() if _mentions(process, str(folder))]


def _mentions(process: psutil.Process, folder: str) -> bool:
    try:
        places = (process.cwd(), *process.cmdline(), process.environ().get(FOLDER, ""))
    except (psutil.Error, OSError):
        return False
    return any(place.startswith(folder) for place in places) and alive(process.pid)


if __name__ == "__main__":
    sys.exit(run_stack(Path(sys.argv[1]), NO_ENGINE, processes=family))
