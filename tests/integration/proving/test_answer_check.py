"""Checks run real programs, within their bounds, and leave nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from domain.proving.checked_task import CheckedTask
from tests.support.factories import fresh
from workers.errors import StackError
from workers.processes.readiness import wait_until
from workers.proving.answer_check import AnswerCheck
from workers.proving.confined import can_filter
from workers.proving.sandbox import SandboxBounds, run_confined

BOUNDS = SandboxBounds(time_s=60, memory_mb=512, output_bytes=64 * 1024)
SHORT = SandboxBounds(time_s=2, memory_mb=512, output_bytes=64 * 1024)
LINUX = pytest.mark.skipif(not can_filter(), reason="system calls can be refused on Linux alone")


def right(code: str, *, bounds: SandboxBounds = BOUNDS) -> bool:
    """Say whether an answer's code is right where f(2) has to be 4."""
    task = CheckedTask(id="square", question="Square it.", asserts="assert f(2) == 4\nassert f(-3) == 9")
    text = f"Here it is.\n```python\n{code}\n```\n"
    return text in AnswerCheck(bounds).right(task, [text])


def test_code_that_fulfils_the_asserts_is_right() -> None:
    assert right("def f(x):\n    return x * x")
    assert right(
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\ndef f(x): return A(x * x).x"
    )
    assert right("def f(x): return x * x\nif __name__ == '__main__':\n    raise SystemExit(1)")


@pytest.mark.parametrize(
    "code",
    [
        "def f(x): return x + x",
        "def f(x) return",
        "raise SystemExit(0)",
        "import os; os._exit(0)",
        "import os, sys; print('passed'); sys.stdout.flush(); os._exit(0)",
        "import psutil\ndef f(x): return x * x",  # the standard library alone
    ],
)
def test_code_that_does_not_reach_the_end_of_the_asserts_is_wrong(code: str) -> None:
    assert not right(code)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(3600)",
        "import os\nwhile True: os.fork()",
    ],
)
def test_an_answer_that_takes_for_ever_is_wrong(code: str) -> None:
    assert not right(code, bounds=SHORT)


def test_a_pattern_that_takes_years_ends_with_its_time() -> None:
    task = CheckedTask(id="slow", question="?", matches="(a+)+b")
    assert AnswerCheck(BOUNDS).right(task, ["Answer: aab"]) == {"Answer: aab"}
    assert AnswerCheck(SHORT).right(task, [f"Answer: {'a' * 60}"]) == frozenset()


def test_memory_and_output_have_bounds() -> None:
    assert not right("hoard = bytearray(2 * 10**9)\ndef f(x): return x * x")
    assert not right("print('x' * 10**6)\ndef f(x): return x * x")
    assert right("print('x' * 10**4)\ndef f(x): return x * x")


def test_no_variable_of_ours_reaches_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_SECRET", "s3cret")
    seen = run_confined(["env"], files={}, bounds=BOUNDS).output.decode()
    assert {line.partition("=")[0] for line in seen.splitlines()} <= {"PATH", "LANG", "HOME", "TMPDIR", "PWD"}


@LINUX
@pytest.mark.parametrize(
    "call",
    [
        "socket.socket()",
        "os.setsid()",
        "os.setpgid(0, 0)",
        "os.kill(os.getppid(), 0)",
    ],
)
def test_an_answer_has_no_network_and_stays_in_its_group(call: str) -> None:
    code = f"import os, socket\ntry:\n    {call}\nexcept PermissionError:\n    def f(x): return x * x\n"
    assert right(code)


def test_what_an_answer_started_ends_with_it(tmp_path: Path) -> None:
    mark = fresh("left-behind")
    asleep = "[sys.executable, '-c', 'import time; time.sleep(3600)', sys.argv[1]]"
    script = f"import subprocess, sys; subprocess.Popen({asleep})"
    finished = run_confined([sys.executable, "-c", script, mark], files={}, bounds=BOUNDS)
    assert finished.code == 0

    def left() -> list[list[str]]:
        cmdlines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
        return [cmdline for cmdline in cmdlines if mark in cmdline]

    assert wait_until(lambda: not left(), within=120), left()


def test_a_command_gets_the_answer_its_code_and_its_files() -> None:
    text = "Do this:\n```sh\necho hello\n```\nand no more"
    command = ["sh", "-c", 'test "$(sh answer.code)" = "$(cat wanted)" && cmp - answer.txt']
    task = CheckedTask(id="greet", question="Greet.", command=command, files={"wanted": "hello\n"})
    assert AnswerCheck(BOUNDS).right(task, [text, "echo goodbye"]) == {text}


def test_python_in_a_command_is_ours() -> None:
    command = ["python", "-c", f"import sys; assert sys.version_info[:2] == {sys.version_info[:2]!r}"]
    assert AnswerCheck(BOUNDS).right(CheckedTask(id="version", question="?", command=command), [""]) == {""}


def test_a_program_that_is_not_there_makes_the_answer_wrong() -> None:
    task = CheckedTask(id="missing", question="?", command=["no-such-program"])
    assert AnswerCheck(BOUNDS).right(task, ["text"]) == frozenset()


def test_the_folder_of_a_check_is_gone_afterwards() -> None:
    where = run_confined(["pwd"], files={"a": "b"}, bounds=BOUNDS).output.decode().strip()
    assert where
    assert not Path(where).exists()


def test_where_nothing_can_be_confined_no_answer_is_judged() -> None:
    impossible = SandboxBounds.model_construct(time_s=60.0, memory_mb="many", output_bytes=1024)  # type: ignore[arg-type]
    with pytest.raises(StackError, match="could not be confined"):
        run_confined(["true"], files={}, bounds=impossible)
