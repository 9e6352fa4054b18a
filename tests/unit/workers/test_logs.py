"""In every form of a log line, whichever logger writes it: a traceback is short and shows no variable's value."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog

from tests.support.hostile_text import HOSTILE, commands_in
from workers import logs

CANARY = "xylophone-canary"
BOUND = 2 * logs.CHARS
"""Characters of one line with its traceback."""
LOGGERS = (
    "conclave.task",
    "celery.app.trace",
    "celery.worker.consumer.consumer",
    "kombu.connection",
    "bridge",
    "beat",
)


@pytest.fixture(autouse=True)
def _logging_as_it_was(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    # After `capsys`, so that no handler outlives the stream that it writes to.
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def fail(depth: int, password: str, *, plan: str = "") -> None:
    """Raise from a deep place, every frame of which holds what must not be shown."""
    held = {"password": password, "plan": plan}
    if depth == 0:
        raise RuntimeError("it went wrong")
    fail(depth - 1, password, plan=held["plan"])


def chained(length: int) -> None:
    secret = CANARY
    try:
        fail(5, secret) if length == 0 else chained(length - 1)
    except RuntimeError as error:
        raise RuntimeError(f"wrapped {length}") from error


FAILURES: tuple[Callable[[], None], ...] = (
    lambda: fail(300, CANARY, plan=CANARY * 1000),
    lambda: chained(40),
    lambda: (_ for _ in ()).throw(RuntimeError("x" * 100_000)),
    lambda: (_ for _ in ()).throw(ExceptionGroup("many", [RuntimeError("it went wrong")] * 1000)),
)


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("logger", LOGGERS)
def test_a_line_with_a_traceback_is_short_and_shows_no_variable(
    as_json: bool, failure: Callable[[], None], logger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(as_json=as_json)
    try:
        failure()
    except Exception:
        logging.getLogger(logger).exception("failed")
        structlog.get_logger(logger).exception("failed")
    written = capsys.readouterr().err
    assert CANARY not in written
    assert "Traceback (most recent call last)" in written
    assert len(written) < 2 * BOUND
    if as_json:
        assert all("exception" in json.loads(line) for line in written.splitlines())


def test_an_exception_that_is_none_is_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=False)
    logging.getLogger("x").error("no exception here", exc_info=True)
    assert "no exception here" in capsys.readouterr().err


CRASH = """
import structlog
from workers.cli import main

@main.app.command()
def crash() -> None:
    password = "xylophone-" + "canary"
    try:
        raise RuntimeError("logged")
    except RuntimeError:
        structlog.get_logger("x").exception("failed")
    raise RuntimeError("it went wrong")

main.app(["crash"])
"""


def test_a_command_that_crashes_or_logs_shows_no_variable() -> None:
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "it went wrong" in done.stderr
    assert "logged" in done.stderr
    assert CANARY not in done.stderr + done.stdout
    assert "locals" not in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("logger", LOGGERS)
def test_no_line_commands_the_terminal_or_forges_another(
    as_json: bool, logger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(as_json=as_json)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        structlog.get_logger(logger).exception(f"event {HOSTILE}", plan=f"{HOSTILE}\nforged", roles=[HOSTILE])
        logging.getLogger(logger).error("failed: %s", f"{HOSTILE}\nforged")
    written = capsys.readouterr().err

    assert commands_in(written) == []
    assert "\nforged" not in written
    assert "ValueError: " in written


def test_a_commands_errors_are_harmless_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_command()
    structlog.get_logger().error(HOSTILE, reason=HOSTILE)

    assert commands_in(capsys.readouterr().err) == []


@pytest.mark.parametrize(("level", "shown"), [("INFO", ["redeliberate"]), ("DEBUG", ["sweep", "redeliberate"])])
def test_what_beat_sends_every_few_seconds_has_a_line_at_debug_alone(
    capsys: pytest.CaptureFixture[str], level: str, shown: list[str]
) -> None:
    logs.configure(level=level, as_json=True)
    log = logging.getLogger("celery.beat")
    for entry in ("sweep", "redeliberate"):
        log.info("Scheduler: Sending due task %s (%s)", entry, f"deliberation.{entry}")
    lines = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert lines == [f"Scheduler: Sending due task {entry} (deliberation.{entry})" for entry in shown]
