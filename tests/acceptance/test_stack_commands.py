"""The README's sessions with a stack that keeps running: every command, in order, as it is printed there."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.readme import ROOT, Here, block_with
from tests.support.sample_stack import FOLDER, living_in
from tests.support.scripted_engine import ScriptedEngine
from workers.cli.environment import without_login
from workers.processes.sessions import alive, kill
from workers.stack.folder import StackRecord

STOPPED_WITHIN = 60.0

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    stated = {name: value for name, value in os.environ.items() if not name.startswith("CONCLAVE_")}
    # Other tests start stacks at the same time.
    ours = {FOLDER: str(tmp_path), "PYTHONPATH": str(ROOT), "CONCLAVE_STACK_PORTS": "free"}
    yield Here(tmp_path, stated | ours, python=sys.executable, conclave=(sys.executable, "-m", "workers.cli"))
    kill([process.pid for process in living_in(tmp_path)])


def test_the_readmes_session_and_publisher_end_with_decisions_and_nothing_running(here: Here) -> None:
    up, *commands, down = block_with("conclave down")
    assert (up, down) == ("conclave up", "conclave down")
    with here.start(up) as stack:
        record = here.ready()
        assert urllib.request.urlopen(f"{record.flower_url}/healthcheck", timeout=60).status == 200
        assert commands_know(here, record)
        here.carry_out_with_sample(commands)
        here.run(down)
        assert stack.wait(STOPPED_WITHIN) == 0
        assert "stopped" in here.output.read_text().splitlines()[-1]
    assert not any(map(alive, record.pids.values()))
    assert not living_in(here.folder)


def test_the_readmes_session_with_an_engine_of_ones_own_ends_with_a_decision(here: Here) -> None:
    up, *commands = block_with("--engine")
    with ScriptedEngine(model="qwen3:8b", latency_s=0.05) as engine, here.start_on(engine.openai_url, up) as stack:
        here.ready()
        assert f"{engine.openai_url}, serves qwen3:8b" in here.output.read_text()
        _, outputs = here.carry_out(commands)
        assert "decided after" in outputs[commands[-1]]
        assert "Winner: dev-" in outputs[commands[-1]]
        here.run("conclave doctor")
        here.run("conclave down")
        assert stack.wait(STOPPED_WITHIN) == 0
    assert not living_in(here.folder)


def commands_know(here: Here, record: StackRecord) -> bool:
    """Whether commands started in the stack's folder find its servers, and say so."""
    rows = {one["variable"]: one for one in json.loads(here.run("conclave config --json"))}
    nats = rows["CONCLAVE_NATS_URL"]
    return (nats["value"], nats["source"]) == ([without_login(record.nats_url)], "running stack")
