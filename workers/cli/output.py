"""What commands print: tables and lines for people, JSON documents for programs. Nothing else in `cli` prints."""

from __future__ import annotations

import json
import sys
from shutil import get_terminal_size
from textwrap import fill
from typing import Annotated, Any

import typer

from domain.text.visible import escaped, escaped_line
from workers.printer import Printer

AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON instead of text; field names are stable.")]

PIPE_WIDTH = 120
"""Columns where standard output is no terminal: tables stay readable in a file."""


def console(*, stderr: bool = False) -> Printer:
    """Return a console on standard output or error: the terminal's width, or PIPE_WIDTH."""
    stream = sys.stderr if stderr else sys.stdout
    return Printer(stderr=stderr, width=None if stream.isatty() else PIPE_WIDTH)


def say(*lines: str) -> None:
    """Print lines as they are, hidden characters and line ends within a line escaped."""
    for line in lines:
        print(escaped_line(line))


def print_text(text: str) -> None:
    """Print a text of several lines as it is, hidden characters escaped."""
    print(escaped(text), end="")


def complain(sentence: str) -> None:
    """Print a sentence on standard error, which may have lines; a terminal does not break it within a word."""
    written = f"conclave: {escaped(sentence)}"
    if sys.stderr.isatty():
        width = get_terminal_size().columns
        written = "\n".join(_broken(line, width) for line in written.splitlines())
    print(written, file=sys.stderr)


def _broken(line: str, width: int) -> str:
    return fill(line, width, break_long_words=False, break_on_hyphens=False)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(_json(value, indent=2))


def print_json_line(value: Any) -> None:
    """Print one JSON document in a line of its own, at once."""
    print(_json(value), flush=True)


def _json(value: Any, indent: int | None = None) -> str:
    """Write JSON with hidden characters as its own escapes; outside its strings there are none."""
    return escaped(json.dumps(value, indent=indent, ensure_ascii=False), lambda sign: json.dumps(sign)[1:-1])
