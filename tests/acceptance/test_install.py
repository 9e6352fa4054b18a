"""What README shows first, from nothing: a fresh clone's demo, and a wheel's by pip alone, without a compiler."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.wheel import ROOT, build_wheel

pytestmark = [pytest.mark.install, pytest.mark.timeout(1800)]
COMMAND_WITHIN = 900.0


def shown() -> list[str]:
    """Return the commands of README's block that installs a wheel."""
    blocks: list[str] = re.findall(
        r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    (block,) = [block for block in blocks if ".whl" in block]
    return block.splitlines()


def carried_out(command: str, folder: Path) -> str:
    """Run a command as a shell does, where nothing can be compiled, and return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONCLAVE_", "PYTHON"))}
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**kept, "CC": "false", "CXX": "false"},
        capture_output=True,
        text=True,
        timeout=COMMAND_WITHIN,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    return done.stdout


def test_a_wheel_installed_as_the_readme_says_decides(tmp_path: Path) -> None:
    build_wheel(tmp_path)
    printed = [carried_out(command, tmp_path) for command in shown()]
    assert "\nWinner: dev-" in printed[-1]


def test_a_fresh_clone_decides_after_one_command(tmp_path: Path) -> None:
    carried_out(f"git clone --quiet '{ROOT}' clone", tmp_path)
    assert "\nWinner: dev-" in carried_out("make demo", tmp_path / "clone")
