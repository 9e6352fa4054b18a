"""The guard ends what a killed owner leaves, whatever the moment of the kill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.sample_stack import living_in
from workers.processes.guard import MARK
from workers.processes.readiness import wait_until

WITHIN = 120.0

OWNER_KILLED_BEFORE_IT_NAMES_ITS_CHILD = """
import os, signal, sys, time
from pathlib import Path
from workers.processes.command import spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.ports import free_port
from workers.processes.readiness import wait_until
from workers.stack.servers import valkey

class DyingGuard(Guard):
    def watch(self, leader):
        assert wait_until(lambda: server.ready(log), within=120)
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
server, log = valkey(port=free_port(), folder=folder), LogFile(folder / "valkey.log")
spawn(server, log=log, guard=DyingGuard())
"""

OWNER_KILLED_AT_ONCE = """
import os, signal
from workers.processes.guard import Guard
print(Guard().mark, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""

OWNER_KILLED_WHILE_ITS_CHILD_IS_SLOW_TO_BEGIN = """
import os, signal, sys, threading
import psutil
from pathlib import Path
from workers.processes.command import ProcessCommand, spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.readiness import wait_until

guard = Guard()
# Between fork and exec the child looks for its program in so many folders, for seconds.
folders = ["/x"] * 4_000_000 + os.environ["PATH"].split(os.pathsep)
os.get_exec_path = lambda env=None: folders

def has_forked():
    return len(psutil.Process().children()) > 1

def die():
    wait_until(has_forked, within=60, every=0.01)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=die).start()
folder = Path(sys.argv[1])
spawn(ProcessCommand("late", ("sleep", "600")), log=LogFile(folder / "late.log"), guard=guard, cwd=folder)
"""


def test_a_child_that_is_slow_to_begin_is_ended_too(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", OWNER_KILLED_WHILE_ITS_CHILD_IS_SLOW_TO_BEGIN, str(tmp_path)],
        timeout=120,
        check=False,
    )
    assert (tmp_path / "late.log").exists()
    assert living_in(tmp_path), "the child was not slow enough to show anything"
    assert wait_until(lambda: not living_in(tmp_path), within=WITHIN)


def test_a_server_whose_owner_is_killed_before_it_names_it_to_the_guard_is_ended(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", OWNER_KILLED_BEFORE_IT_NAMES_ITS_CHILD, str(tmp_path)], timeout=60, check=False
    )
    assert (tmp_path / "valkey.log").exists()
    assert wait_until(lambda: not living_in(tmp_path), within=WITHIN)


def test_a_child_that_shows_its_mark_only_after_the_owner_is_gone_is_ended() -> None:
    owner = subprocess.run(
        [sys.executable, "-c", OWNER_KILLED_AT_ONCE], stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    # Between fork and exec a child has its parent's environment: without the mark.
    late = f"sleep 0.5; {MARK}={owner.stdout.strip()} exec sleep 600"
    with subprocess.Popen(["/bin/sh", "-c", late]) as child:
        try:
            assert child.wait(WITHIN) < 0
        finally:
            child.kill()
