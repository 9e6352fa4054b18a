"""The README's session with a stack that keeps running: every command of it, in order, as it is printed there."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sample_stack import FOLDER, living_in
from workers.stack.folder import StackRecord, StateFolder
from workers.stack.guard import alive
from workers.stack.probes import wait_until

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CONCLAVE = (sys.executable, "-m", "workers.cli")
READY_WITHIN = 90.0
DECIDED_WITHIN = 400.0
STOPPED_WITHIN = 60.0


pytestmark = pytest.mark.timeout(600)


def session() -> list[list[str]]:
    """Return the arguments of every `conclave` command in the README's session, `up` first."""
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    (found,) = [block for block in blocks if "conclave up" in block]
    lines = [line.partition("#")[0].strip() for line in found.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("conclave ")]


def published_by_a_stranger(here: Here, nats_url: str) -> list[str]:
    """Run the README's own publisher and return what it printed."""
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**here.environment, "NATS_URL": nats_url},
        cwd=here.folder,
        capture_output=True,
        text=True,
        timeout=DECIDED_WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


class Here:
    """A folder in which the session happens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = StateFolder(folder / ".conclave")
        stated = {name: value for name, value in os.environ.items() if not name.startswith("CONCLAVE_")}
        self.environment = {**stated, FOLDER: str(folder), "PYTHONPATH": str(ROOT)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*CONCLAVE, *arguments], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str) -> str:
        """Run a command, which must succeed, and return what it printed."""
        done = subprocess.run(
            [*CONCLAVE, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DECIDED_WITHIN,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def ready(self) -> StackRecord:
        """Wait until every part of the stack is ready."""
        assert wait_until(lambda: self.state.record() is not None, within=READY_WITHIN, every=0.2)
        record = self.state.record()
        assert record is not None
        return record


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    yield Here(tmp_path)
    for process in living_in(tmp_path):
        process.kill()


def test_the_readmes_session_ends_with_a_decision_and_nothing_running(here: Here) -> None:
    up, *commands, down = session()
    assert (up[0], down[0]) == ("up", "down")
    with here.start(*up) as stack:
        record = here.ready()
        assert urllib.request.urlopen(f"{record.flower_url}/healthcheck", timeout=5).status == 200
        ids: list[str] = []
        outputs: dict[str, str] = {}
        for command in commands:
            arguments = [ids[0] if word == "ID" else word for word in command]
            output = here.run(*arguments)
            outputs[" ".join(command[:2])] = output
            ids += re.findall(r"^(d-\w+)", output, flags=re.MULTILINE) if command[0] == "approve" else []
        assert "decided after" in outputs["deliberation watch"]
        assert "Winner: " in outputs["deliberation show"]
        listed = json.loads(here.run("deliberation", "list", "--json"))
        assert set(ids) <= {one["deliberation_id"] for one in listed}
        here.run(*down)
        assert stack.wait(STOPPED_WITHIN) == 0
        assert stack.stdout is not None
        assert "stopped" in stack.stdout.read().splitlines()[-1]
    assert not any(map(alive, record.pids.values()))
    assert not living_in(here.folder)


def test_commands_and_a_publisher_of_its_own_find_the_stack(here: Here) -> None:
    with here.start("up") as stack:
        record = here.ready()
        rows = {one["variable"]: one for one in json.loads(here.run("config", "--json"))}
        assert rows["CONCLAVE_NATS_URL"] == {
            "variable": "CONCLAVE_NATS_URL",
            "value": [record.nats_url],
            "source": "running stack",
        }
        here.run("council", "apply", "--default")
        assert len(json.loads(here.run("council", "list", "--json"))) == 5
        lines = published_by_a_stranger(here, record.nats_url)
        assert {line.split()[1] for line in lines} <= {"dev-smallest-step", "dev-data-first", "dev-on-call"}
        scores = [float(line.split()[0]) for line in lines]
        assert len(scores) >= 2
        assert scores == sorted(scores, reverse=True)
        stack.send_signal(signal.SIGINT)
        assert stack.wait(STOPPED_WITHIN) == 0
    assert not living_in(here.folder)
