"""A check that can't be used stops whatever needs the checks, at its start and with one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.settings import Settings


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Lay out an installed package, as pip would, that declares a check it does not have."""
    metadata = tmp_path / "our_checks-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: our-checks\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[conclave.checks]\nbroken = no_such_module:Check\n")
    return tmp_path


@pytest.mark.parametrize("arguments", [("worker", "--control"), ("bridge",)], ids=" ".join)
def test_it_is_named_with_its_package_and_the_remedy(
    environment: Settings, broken: Path, arguments: tuple[str, ...]
) -> None:
    done = conclave(*arguments, beside=broken)
    assert done.returncode == 1
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("conclave: ")]
    assert "the check 'broken' (no_such_module:Check of the package our-checks) can't be used" in told
    assert "Traceback" not in done.stdout + done.stderr


def test_commands_that_only_read_need_no_check(environment: Settings, broken: Path) -> None:
    done = conclave("deliberation", "list", beside=broken)
    assert (done.returncode, done.stderr) == (0, "")


def conclave(*arguments: str, beside: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with another folder of packages on the path."""
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(beside), str(Path.cwd())))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
