"""`conclave worker` is a Celery worker: same process, same signals, its own exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.fleet import Service
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.readiness import log_says
from workers.settings import Settings


def test_a_control_worker_reads_its_queue_and_stops_on_sigterm(
    environment: Settings, tmp_path: Path, guard: Guard
) -> None:
    process = ProcessCommand(
        "worker",
        (sys.executable, "-m", "workers.cli", "worker", "--control"),
        dict(os.environ),
        ready=log_says("ready."),
    )
    worker = Service(process, folder=tmp_path, guard=guard).start()
    assert f"control-{worker.pid}@" in worker.log.text()
    assert "llm." not in worker.log.text()
    assert worker.stop() == 0
