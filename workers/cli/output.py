"""Standard output: tables for people, JSON documents for programs."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON instead of text; field names are stable.")]

PIPE_WIDTH = 120
"""Columns where standard output is no terminal: tables stay readable in a file."""


def console() -> Console:
    """Return a console on standard output: the terminal's width, or PIPE_WIDTH."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_line(value: Any) -> None:
    """Print one JSON document in a line of its own, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)
