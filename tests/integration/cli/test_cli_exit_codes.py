"""The table of exit codes in docs/operations.md: every command that takes a name says 2 to an unknown one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.support.commands import Run, sentence
from workers.cli.main import app

ROOT = Path(__file__).parents[3]
PARAMETERS = {"role", "deliberation_id", "parked_id", "name", "number"}
"""What commands call the thing that they are asked about."""
MAKE_IT = {"schedule add", "token create", "consumer create", "consumer delete"}
"""Three make what they name; one says before, with 1, that a fresh server has no stream of events."""
UNKNOWN = {
    "council show": ("CHEF",),
    "council delete": ("CHEF",),
    "deliberation show": ("d-000000000000000000000000",),
    "deliberation watch": ("d-000000000000000000000000", "--wait", "0"),
    "deliberation cancel": ("d-000000000000000000000000",),
    "deliberation redeliberate": ("d-000000000000000000000000",),
    "deliberation replay": ("d-000000000000000000000000",),
    "deliberation accept": ("d-000000000000000000000000", "--by", "ada"),
    "deliberation reject": ("d-000000000000000000000000", "--by", "ada"),
    "deliberation prefer": ("d-000000000000000000000000", "--by", "ada", "--proposal", "dev-2"),
    "schedule rm": ("nightly",),
    "schedule run-now": ("nightly",),
    "parked show": ("k-1",),
    "parked release": ("k-1",),
    "parked drop": ("k-1",),
    "dead-letter show": ("7",),
    "dead-letter replay": ("7",),
    "dead-letter purge": ("7",),
    "token revoke": ("ci",),
}


@pytest.mark.parametrize("command", UNKNOWN)
def test_what_there_is_not_is_2_with_one_sentence(run: Run, command: str) -> None:
    result = run(*command.split(), *UNKNOWN[command])
    assert result.exit_code == 2, result.output
    assert sentence(result)


def test_every_command_that_takes_a_name_is_asked_for_an_unknown_one() -> None:
    groups: Any = get_command(app)
    takes_a_name = {
        f"{group} {name}"
        for group, below in groups.commands.items()
        for name, command in getattr(below, "commands", {}).items()
        if not command.hidden and any(param.name in PARAMETERS for param in command.params)
    }
    assert takes_a_name - MAKE_IT == set(UNKNOWN)


def test_a_server_that_is_away_is_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_REDIS_URL", "redis://127.0.0.1:9")
    assert run("council", "show", "DEV").exit_code == 1


def test_the_page_says_so() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\d+)` \|", page, flags=re.MULTILINE) == ["0", "1", "2", "130"]
