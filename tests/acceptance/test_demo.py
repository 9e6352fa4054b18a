"""`conclave demo` as a newcomer runs it: real servers, the real small model, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain import event_types
from tests.support.sample_stack import FOLDER, living_in
from tests.support.wheel import build_wheel, install_beside_locked, locked_programs
from workers.processes.readiness import wait_until

DEMO = (sys.executable, "-m", "workers.cli", "demo")
ROOT = Path(__file__).parents[2]
WITHIN = 240.0
"""Seconds: several times what it takes on two idle cores, which test machines rarely are."""
GONE_WITHIN = 120.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the demo's temporary folder lies and which every process of it has in its environment."""
    yield tmp_path
    for process in living_in(tmp_path):
        process.kill()


def environment(folder: Path) -> dict[str, str]:
    stated = {name: value for name, value in os.environ.items() if not name.startswith("CONCLAVE_")}
    # Rich draws for a terminal when these are set, as they are under some continuous integration systems.
    plain = {name: value for name, value in stated.items() if name not in {"FORCE_COLOR", "TTY_COMPATIBLE"}}
    return {**plain, "TMPDIR": str(folder), FOLDER: str(folder), "PYTHONPATH": str(ROOT)}


def demo(
    folder: Path, *arguments: str, command: tuple[str, ...] = DEMO, **variables: str
) -> subprocess.CompletedProcess[str]:
    (folder / "cwd").mkdir()
    return subprocess.run(
        [*command, *arguments],
        env=environment(folder) | variables,
        cwd=folder / "cwd",
        timeout=WITHIN,
        text=True,
        capture_output=True,
        check=False,
    )


def test_of_the_wheel_json_is_the_event_and_nothing_else_with_progress_on_standard_error(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    built = tmp_path_factory.mktemp("wheel")
    conclave = install_beside_locked(build_wheel(built), built / "env")
    alone = {"PATH": locked_programs(), "PYTHONPATH": ""}
    result = demo(folder, "--json", command=(str(conclave), "demo"), **alone)
    assert result.returncode == 0, result.stderr
    for words in ("nats ready after", "proposals done: 3/3", "decided after"):
        assert words in result.stderr
    event: dict[str, Any] = json.loads(result.stdout)
    assert event["event_type"] == event_types.COMPLETED
    assert (event["story_id"], event["task_id"], event["role"]) == ("demo-story", "demo-plan", "DEV")
    # A second look may put a proposal of a lower score first.
    ranks = [decision["rank"] for decision in event["decisions"]]
    assert ranks == sorted(ranks)
    assert (len(ranks), ranks[0]) == (3, 1)
    assert event["winner"]["agent_id"] == event["decisions"][0]["proposal"]["author"]["agent_id"]
    for decision in event["decisions"]:
        assert len(decision["proposal"]["content"]) > 50
        assert 1 <= decision["score"] <= 9
    assert {ballot["reviewer"] for ballot in event["ballots"]} >= {
        one["proposal"]["author"]["agent_id"] for one in event["decisions"]
    }
    assert event["usage"]["completion_tokens"] > 0
    assert not living_in(folder)
    assert [path.name for path in folder.iterdir()] == ["cwd"], "the temporary folder is still there"
    assert list((folder / "cwd").iterdir()) == []


def test_text_shows_progress_and_ends_with_the_winner_and_why_on_one_screen(folder: Path) -> None:
    plan = {"story_id": "s", "plan_id": "p", "title": "Add a health check", "constraints": {"max_tokens": 48}}
    (folder / "plan.json").write_text(json.dumps(plan))
    result = demo(folder, "--plan", str(folder / "plan.json"), "--role", "QA", "--state", str(folder / "state"))
    assert result.returncode == 0, result.stderr
    order = ["nats ready after", "proposals done: 3/3", "review done: ", "decided after", "\nWinner: ", "\nWhy\n"]
    places = [result.stdout.index(words) for words in order]
    assert places == sorted(places)
    assert len(result.stdout.splitlines()) <= 40
    assert not living_in(folder)
    assert {"nats", "valkey", "logs"} <= {path.name for path in (folder / "state").iterdir()}


def test_a_machine_too_slow_for_the_deadline_is_told_so_with_what_to_set(folder: Path) -> None:
    plan = {"story_id": "s", "plan_id": "p", "title": "Add a health check", "constraints": {"deadline_s": 0.5}}
    (folder / "plan.json").write_text(json.dumps(plan))
    result = demo(folder, "--plan", str(folder / "plan.json"))
    assert result.returncode == 1
    assert "this machine was too slow" in result.stderr
    assert "set deadline_s in the plan to 1 " in result.stderr


class Running:
    """A demo that is being watched."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            DEMO, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def until(self, words: str) -> None:
        """Return when a line with these words has been printed."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return
        raise AssertionError(f"never said {words!r}")


MOMENTS = (
    "nats ready",
    "engine ready",
    "worker ready",
    "DEV: How should",
    "proposed ",
    "proposals done",
    "Winner: ",
)


@pytest.mark.parametrize("words", MOMENTS)
def test_ctrl_c_at_any_moment_leaves_nothing_behind(folder: Path, words: str) -> None:
    running = Running(folder)
    running.until(words)
    running.process.send_signal(signal.SIGINT)
    _, errors = running.process.communicate(timeout=GONE_WITHIN)
    assert "Traceback" not in errors
    assert running.process.returncode == 130
    assert wait_until(lambda: not living_in(folder), within=GONE_WITHIN)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_other_ends_leave_no_process_either(folder: Path, number: signal.Signals) -> None:
    running = Running(folder)
    running.until("valkey ready")
    running.process.send_signal(number)
    running.process.communicate(timeout=GONE_WITHIN)
    assert wait_until(lambda: not living_in(folder), within=GONE_WITHIN)


def test_a_second_ctrl_c_is_no_harm(folder: Path) -> None:
    running = Running(folder)
    running.until("worker ready")
    for _ in range(5):
        running.process.send_signal(signal.SIGINT)
    running.process.communicate(timeout=GONE_WITHIN)
    assert wait_until(lambda: not living_in(folder), within=GONE_WITHIN)
