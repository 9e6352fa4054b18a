"""The README's sessions with a stack that keeps running: every command, in order, as it is printed there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sample_stack import FOLDER, living_in
from tests.support.scripted_engine import ScriptedEngine
from workers.cli.environment import without_login
from workers.processes.readiness import wait_until
from workers.processes.sessions import alive, kill
from workers.stack.folder import StackRecord, StateFolder

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
CONCLAVE = (sys.executable, "-m", "workers.cli")
READY_WITHIN = 90.0
DECIDED_WITHIN = 400.0
STOPPED_WITHIN = 60.0


pytestmark = pytest.mark.timeout(600)


def sessions() -> list[list[list[str]]]:
    """Return the arguments of every `conclave` command in each of the README's sessions, `up` first."""
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = []
    for block in blocks:
        lines = [line.partition("#")[0].strip() for line in block.splitlines()]
        if lines[0].startswith("conclave up"):
            found.append([shlex.split(line)[1:] for line in lines])
    return found


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
        # Other tests start stacks at the same time.
        self.environment["CONCLAVE_STACK_PORTS"] = "free"

    @property
    def output(self) -> Path:
        """What the started command has printed; a pipe without a reader would block it when it is full."""
        return self.folder / "output.txt"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            return subprocess.Popen([*CONCLAVE, *arguments], cwd=self.folder, env=self.environment, stdout=output)

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
    kill([process.pid for process in living_in(tmp_path)])


def test_the_readmes_session_and_publisher_end_with_decisions_and_nothing_running(here: Here) -> None:
    _, (up, *commands, down) = sessions()
    assert (up[0], down[0]) == ("up", "down")
    with here.start(*up) as stack:
        record = here.ready()
        assert urllib.request.urlopen(f"{record.flower_url}/healthcheck", timeout=5).status == 200
        assert commands_know(here, record)
        ids, outputs = carry_out(commands, here)
        assert "decided after" in outputs["approve docs/examples/plan.json"]
        assert "Winner: " in outputs["approve docs/examples/plan.json"]
        assert "Winner: " in outputs["deliberation show"]
        scores = [
            float(line.split()[0])
            for line in published_by_a_stranger(here, here.run("config", "--reveal", "CONCLAVE_NATS_URL").strip())
        ]
        assert len(scores) >= 2
        assert scores == sorted(scores, reverse=True)
        listed = json.loads(here.run("deliberation", "list", "--json"))
        assert set(ids) < {one["deliberation_id"] for one in listed}
        here.run(*down)
        assert stack.wait(STOPPED_WITHIN) == 0
        assert "stopped" in here.output.read_text().splitlines()[-1]
    assert not any(map(alive, record.pids.values()))
    assert not living_in(here.folder)


def test_the_readmes_session_with_an_engine_of_ones_own_ends_with_a_decision(here: Here) -> None:
    (up, approve), _ = sessions()
    with ScriptedEngine(model="qwen3:8b", latency_s=0.05) as engine:
        shown = up[up.index("--engine") + 1]
        up = [engine.openai_url if word == shown else word for word in up]
        with here.start(*up) as stack:
            here.ready()
            assert wait_until(lambda: "Conclave is ready." in here.output.read_text(), within=READY_WITHIN)
            assert f"{engine.openai_url}, serves qwen3:8b" in here.output.read_text()
            outcome = here.run(*approve)
            assert "decided after" in outcome
            assert "Winner: dev-" in outcome
            here.run("doctor")
            here.run("down")
            assert stack.wait(STOPPED_WITHIN) == 0
    assert not living_in(here.folder)


def carry_out(commands: list[list[str]], here: Here) -> tuple[list[str], dict[str, str]]:
    """Run commands in their order, ID standing for what `approve` printed; return the ids and what was printed."""
    ids: list[str] = []
    outputs: dict[str, str] = {}
    for command in commands:
        output = here.run(*(ids[0] if word == "ID" else word for word in command))
        outputs[" ".join(command[:2])] = output
        ids += re.findall(r"^(d-\w+)", output, flags=re.MULTILINE) if command[0] == "approve" else []
    return ids, outputs


def commands_know(here: Here, record: StackRecord) -> bool:
    """Whether commands started in the stack's folder find its servers, and say so."""
    rows = {one["variable"]: one for one in json.loads(here.run("config", "--json"))}
    nats = rows["CONCLAVE_NATS_URL"]
    return (nats["value"], nats["source"]) == ([without_login(record.nats_url)], "running stack")
