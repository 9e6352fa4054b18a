"""The supervisor keeps processes running in order, says what went wrong, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from tests.support.sample_stack import FAMILY, python
from workers.errors import StackError
from workers.processes.command import ProcessCommand
from workers.processes.process_group import ProcessGroup
from workers.processes.readiness import log_says, wait_until
from workers.processes.sessions import alive

WITHIN = 120.0
SLEEP = "import time; time.sleep(600)"


def test_a_process_starts_when_what_it_needs_is_ready(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = python("first", SLEEP, ready=lambda log: gate.exists())
    second = python("second", SLEEP, after=("first",))
    with ProcessGroup([second, first], logs=tmp_path / "logs") as stack:
        assert wait_until(lambda: "first" in stack.pids, within=WITHIN)
        assert "second" not in stack.pids
        gate.touch()
        stack.wait_ready(WITHIN)
        assert "second" in stack.pids


def test_a_killed_process_comes_back_under_a_new_pid(tmp_path: Path) -> None:
    seen: list[Mapping[str, int]] = []
    with ProcessGroup([python("part", SLEEP)], logs=tmp_path, pids_changed=seen.append) as stack:
        stack.wait_ready(WITHIN)
        first = stack.pids["part"]
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: len(seen) == 2, within=WITHIN)
        assert seen[0]["part"] == first
        assert alive(seen[1]["part"])
        assert seen[1]["part"] != first


def test_a_process_that_keeps_dying_ends_the_stack_with_its_last_words(tmp_path: Path) -> None:
    dying = python("bridge", "print('no such stream'); raise SystemExit(3)", ready=log_says("never"))
    with (
        ProcessGroup([dying, python("other", SLEEP)], logs=tmp_path) as stack,
        pytest.raises(StackError, match=r"bridge exited with 3, 5 times in a row(.|\n)*no such stream"),
    ):
        stack.wait_ready(60)


def test_a_process_that_dies_right_after_it_was_ready_is_given_up_too(tmp_path: Path) -> None:
    with ProcessGroup([python("flash", "print('up')", ready=log_says("up"))], logs=tmp_path) as stack:
        assert wait_until(lambda: has_failed(stack), within=60)
        with pytest.raises(StackError, match="flash exited with 0, 5 times in a row"):
            stack.check()


def has_failed(stack: ProcessGroup) -> bool:
    try:
        stack.check()
    except StackError:
        return True
    return False


def test_a_process_that_is_never_ready_is_started_again_and_then_given_up(tmp_path: Path) -> None:
    silent = python("engine", SLEEP, ready=lambda log: False, ready_within=0.2)
    with (
        ProcessGroup([silent], logs=tmp_path) as stack,
        pytest.raises(StackError, match=r"engine was not ready within 0\.2 s, 5 times in a row"),
    ):
        stack.wait_ready(60)


def test_waiting_for_readiness_has_an_end_and_names_who_is_late(tmp_path: Path) -> None:
    late = python("late", SLEEP, ready=lambda log: False)
    with (
        ProcessGroup([python("prompt", SLEEP), late], logs=tmp_path) as stack,
        pytest.raises(StackError, match="not ready within 1 s: late;"),
    ):
        stack.wait_ready(1)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with (
        ProcessGroup([ProcessCommand("nats", ("/nowhere/nats-server",))], logs=tmp_path) as stack,
        pytest.raises(StackError, match=r"nats can't be started: No such file or directory .*nats-server"),
    ):
        stack.wait_ready(WITHIN)


def test_stopping_reaches_children_of_children_in_sessions_of_their_own(tmp_path: Path) -> None:
    family = python("family", FAMILY, ready=log_says("family complete"))
    with ProcessGroup([family], logs=tmp_path) as stack:
        stack.wait_ready(WITHIN)
        relatives = psutil.Process(stack.pids["family"]).children(recursive=True)
        assert len(relatives) == 2
    assert not any(alive(relative.pid) for relative in relatives)


def test_what_needs_a_server_stops_before_the_server(tmp_path: Path) -> None:
    order = tmp_path / "order"
    needed = python("needed", _writes_when_stopped(order, "needed"), ready=log_says("up"))
    needing = python("needing", _writes_when_stopped(order, "needing"), ready=log_says("up"), after=("needed",))
    user = python("user", _writes_when_stopped(order, "user"), ready=log_says("up"), stops_before=("needing",))
    with ProcessGroup([needed, needing, user], logs=tmp_path) as stack:
        stack.wait_ready(WITHIN)
    assert order.read_text().split() == ["user", "needing", "needed"]


def _writes_when_stopped(path: Path, word: str) -> str:
    return (
        "import signal, sys\n"
        f"def stop(*_):\n open({str(path)!r}, 'a').write('{word} ')\n sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop); print('up')\n"
        "while True: signal.pause()\n"
    )


def test_a_process_deaf_to_sigterm_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    deaf = python(
        "deaf",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(600)",
        ready=log_says("up"),
        stop_within=0.3,
    )
    reports: list[tuple[str, str]] = []
    with ProcessGroup([deaf], logs=tmp_path, report=lambda *report: reports.append(report)) as stack:
        stack.wait_ready(WITHIN)
        child = psutil.Process(stack.pids["deaf"])
    assert not alive(child.pid)
    assert ("deaf", "did not stop within 0.3 s: killed") in reports


@pytest.mark.parametrize("leave", [ProcessGroup.stop, ProcessGroup.kill])
def test_a_stack_may_be_stopped_before_it_is_ready(tmp_path: Path, leave: Callable[[ProcessGroup], None]) -> None:
    with ProcessGroup([python("part", SLEEP, ready=lambda log: False)], logs=tmp_path) as stack:
        assert wait_until(lambda: "part" in stack.pids, within=WITHIN)
        pid = stack.pids["part"]
        leave(stack)
    assert not alive(pid)


def test_an_interrupted_block_still_stops_everything(tmp_path: Path) -> None:
    children: list[psutil.Process] = []

    def interrupted() -> None:
        with ProcessGroup([python("part", SLEEP)], logs=tmp_path) as stack:
            stack.wait_ready(WITHIN)
            children.append(psutil.Process(stack.pids["part"]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not alive(children[0].pid)
