"""The README's sessions with a stack that keeps running: every command, in order, as it is printed there."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.policy import Policy
from tests.support.chromium import chromium, window
from tests.support.person_at_page import (
    approve_the_sample,
    have_it_deliberated_again,
    log_in,
    prefer_another,
    watch_it_decided,
)
from tests.support.readme import ROOT, Here, block_with
from tests.support.sample_stack import FOLDER, living_in
from tests.support.scripted_engine import ScriptedEngine
from workers.cli.environment import without_login
from workers.processes.sessions import alive, kill
from workers.stack.folder import StackRecord

STOPPED_WITHIN = 60.0
DECIDED_WITHIN_MS = 600_000.0
"""A deliberation's own deadline."""

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    stated = {name: value for name, value in os.environ.items() if not name.startswith("CONCLAVE_")}
    # Other tests start stacks at the same time.
    ours = {FOLDER: str(tmp_path), "PYTHONPATH": str(ROOT), "CONCLAVE_STACK_PORTS": "free"}
    yield Here(tmp_path, stated | ours, python=sys.executable, conclave=(sys.executable, "-m", "workers.cli"))
    kill([process.pid for process in living_in(tmp_path)])


def test_the_readmes_session_and_a_person_at_the_page_end_with_decisions_and_nothing_running(here: Here) -> None:
    up, *commands, down = block_with("conclave down")
    assert (up, down) == ("conclave up", "conclave down")
    with here.start(up) as stack:
        record = here.ready()
        assert urllib.request.urlopen(f"{record.flower_url}/healthcheck", timeout=60).status == 200
        assert commands_know(here, record)
        here.carry_out_with_sample(commands)
        a_person_decides(record)
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


def a_person_decides(record: StackRecord) -> None:
    """Go the whole way in a real browser, from the login to the comparison of two decisions."""
    assert record.web_url is not None
    name, _, password = record.web_login.partition(":")
    with chromium() as browser, window(browser) as on:
        log_in(on.page, record.web_url, name, password)
        approve_the_sample(on.page, "Keep carts over a restart", max_tokens=96)
        watch_it_decided(on.page, within_ms=DECIDED_WITHIN_MS)
        prefer_another(on.page, name, "It survives a crash.")
        have_it_deliberated_again(on.page, Policy().model, within_ms=DECIDED_WITHIN_MS)
        assert on.complaints == []


def commands_know(here: Here, record: StackRecord) -> bool:
    """Whether commands started in the stack's folder find its servers, and say so."""
    rows = {one["variable"]: one for one in json.loads(here.run("conclave config --json"))}
    nats = rows["CONCLAVE_NATS_URL"]
    return (nats["value"], nats["source"]) == ([without_login(record.nats_url)], "running stack")
