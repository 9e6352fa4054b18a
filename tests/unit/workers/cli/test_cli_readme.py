"""What the documentation says of commands and settings is so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.support import settings_page
from workers.cli.main import app

ROOT = Path(__file__).parents[4]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINE = re.compile(r"^ *(?:\$ |docker compose exec \S+ )?(?:\S*/)?(conclave [^`|\n]*)", re.MULTILINE)
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}.*$", re.MULTILINE)


def commands(page: Path) -> Iterator[str]:
    """Yield every command line that a page shows in a block of commands."""
    text = page.read_text(encoding="utf-8")
    blocks = [*FENCED.findall(text), *INDENTED.findall(text)]
    yield from (line for block in blocks for line in LINE.findall(block))


SHOWN = [(page, line.partition("#")[0].strip()) for page in PAGES for line in commands(page)]


def parse(command: Any, arguments: list[str], name: str) -> None:
    """Read a command line as far as it goes without doing anything. Raises what typer would complain of."""
    with command.make_context(name, arguments) as context:
        if hasattr(command, "commands"):
            found, subcommand, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            parse(subcommand, rest, found)


@pytest.mark.parametrize(
    ("page", "line"), SHOWN, ids=lambda value: value.name if isinstance(value, Path) else value
)
def test_commands_that_are_shown_exist_with_their_options(page: Path, line: str) -> None:
    parse(get_command(app), shlex.split(line)[1:], "conclave")


def test_the_readme_shows_commands() -> None:
    shown = {shlex.split(line)[1] for page, line in SHOWN if page.name == "README.md"}
    assert {"up", "down", "approve", "council", "deliberation", "bridge", "worker"} <= shown


def test_a_command_that_does_not_exist_would_be_found() -> None:
    for wrong in ("nonsense", "up --nonsense", "council nonsense"):
        with pytest.raises(Exception, match="nonsense"):
            parse(get_command(app), shlex.split(wrong), "conclave")


def test_every_command_that_is_named_in_passing_exists() -> None:
    tree: Any = get_command(app)
    for page in PAGES:
        for words in re.findall(r"`conclave ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", page.read_text(encoding="utf-8")):
            group = tree.commands[words[0]]
            assert not words[1] or not hasattr(group, "commands") or words[1] in group.commands, (
                f"{page.name}: {words}"
            )


def test_the_page_of_settings_is_the_settings() -> None:
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == settings_page.page(), (
        "write it anew: make settings"
    )
