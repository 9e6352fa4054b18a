"""`conclave beat` is Celery's beat: it finds its servers by the settings, acts, and stops on SIGTERM."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.fleet import Service
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.readiness import log_says
from workers.settings import Settings


def test_a_beat_takes_the_lock_and_stops_on_sigterm(environment: Settings, tmp_path: Path, guard: Guard) -> None:
    process = ProcessCommand(
        "beat", (sys.executable, "-m", "workers.cli", "beat"), dict(os.environ), ready=log_says("beat acts")
    )
    beat = Service(process, folder=tmp_path, guard=guard).start()
    assert beat.stop() == 0
