"""The shipped units start commands that there are, under settings that there are, with few rights."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from workers.cli.main import app
from workers.settings import Settings
from workers.variables import unknown_variables

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "User": "conclave",
    "Restart": "always",
}


def lines(unit: Path) -> list[tuple[str, str]]:
    """Return every setting of a unit; systemd allows several of one name."""
    text = unit.read_text(encoding="utf-8")
    return [(name, value) for name, value in re.findall(r"^(\w+)=(.*)$", text, flags=re.M)]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_there_is_with_few_rights(unit: Path) -> None:
    found = dict(lines(unit))
    assert HARDENED.items() <= found.items()
    program, name, *options = shlex.split(found["ExecStart"])
    assert Path(program).name == "conclave"
    command: Any = get_command(app)
    known = {option for parameter in command.commands[name].params for option in parameter.opts}
    assert set(options) <= known
    assert found["PartOf"] == found["WantedBy"] == "conclave.target"


def test_every_process_of_an_installation_has_a_unit() -> None:
    started = {shlex.split(dict(lines(unit))["ExecStart"])[1] for unit in UNITS}
    assert started == {"bridge", "worker", "beat", "flower", "web"}


def test_the_page_names_every_file_and_settings_that_there_are() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## systemd\n(.*?)(?=^## )", page, flags=re.M | re.S)
    files = {Path(value).name for unit in UNITS for name, value in lines(unit) if name == "EnvironmentFile"}
    assert {name.replace("%i", "NAME") for name in files} == set(
        re.findall(r"^\| `(.+?\.env)` \|", section, flags=re.M)
    )
    variables = dict.fromkeys(re.findall(r"CONCLAVE_\w+", section), "1")
    assert variables
    assert unknown_variables(variables, Settings) == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in (ROOT / "deploy" / "systemd").iterdir():
        text = unit.read_text(encoding="utf-8").replace("/opt/conclave/bin/conclave", shutil.which("true") or "")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    paths = [str(tmp_path / unit.name.replace("@", "@one")) for unit in UNITS]
    (tmp_path / "conclave-model@one.service").symlink_to(tmp_path / "conclave-model@.service")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "conclave" in line]
    assert ours == []
