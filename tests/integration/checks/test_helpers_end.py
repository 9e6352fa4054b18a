"""No helper outlives its worker, however the worker ends and whatever the helper is at."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.checks.conftest import MODULE, helpers
from workers.processes.readiness import wait_until
from workers.processes.sessions import is_running, started_at

WITHIN = 120.0
WORKER = """
import sys
from importlib.metadata import EntryPoint

from domain.checks.bounds import CheckBounds
from domain.checks.check import PlanFacts
from workers.checks.isolated import IsolatedChecks
from workers.checks.registry import GROUP

module, text = sys.argv[1:]
points = [EntryPoint(name.lower(), f"{module}:{name}", GROUP) for name in ("Tells", "Sleeps", "Holds")]
checks = IsolatedChecks(points, CheckBounds(time_s=4))
checks.run("sound", PlanFacts())
print("warm", flush=True)
if text:
    checks.run(text, PlanFacts())
sys.stdin.read()
"""


@pytest.mark.parametrize("text", ["", "sleeps", "holds"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_helper_of_a_worker_that_ends_ends(package: Path, text: str, number: signal.Signals) -> None:
    root = Path(__file__).parents[3]
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, MODULE, text],
        env={"PYTHONPATH": f"{root}:{package}", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"warm\n"
        (helper,) = helpers(worker.pid)
        began = started_at(helper.pid)
        if text == "holds":
            used_s = cpu_s(helper)
            assert wait_until(lambda: cpu_s(helper) > used_s + 0.2, within=WITHIN)
        worker.send_signal(number)
        worker.wait(WITHIN)

        assert wait_until(lambda: not is_running(helper.pid, began), within=WITHIN)


def cpu_s(process: psutil.Process) -> float:
    """Return the processor time that a process has used; without end if it is gone."""
    try:
        return float(sum(process.cpu_times()[:2]))
    except psutil.Error:
        return float("inf")
