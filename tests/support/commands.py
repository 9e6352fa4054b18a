"""Commands run in the test's own process: quick, and with a debugger's reach."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import structlog
from typer.testing import CliRunner, Result

from workers.cli.main import app

Run = Callable[..., Result]


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Run a command; its output and exit code are in the result. Other tests' logging stays as it was."""
    with _logging_restored():
        return CliRunner().invoke(app, arguments, input=stdin)


def sentence(result: Result) -> str:
    """Return the only line on standard error."""
    assert "Traceback" not in result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("conclave: ")
    return line


@contextlib.contextmanager
def _logging_restored() -> Iterator[None]:
    before = structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**before)
