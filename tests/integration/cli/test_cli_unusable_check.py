"""A check that can't be used stops whatever needs the checks, at its start and with one sentence."""

from __future__ import annotations

import json
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


def test_doctor_says_that_nothing_starts_and_how_to_leave_it_out(environment: Settings, broken: Path) -> None:
    done = conclave("doctor", "--json", beside=broken)
    said = {one["subject"]: one for one in json.loads(done.stdout)}
    assert said["checks"]["level"] == "fail"
    assert "no bridge and no worker with this starts: the check 'broken'" in said["checks"]["text"]
    variable, _, value = said["checks"]["text"].rpartition(": ")[2].partition("=")

    done = conclave("doctor", "--json", beside=broken, env={variable: value.strip("'")})
    said = {one["subject"]: one for one in json.loads(done.stdout)}
    assert said["checks"]["level"] == "ok"


def test_a_bridge_starts_without_the_check_that_is_left_out(environment: Settings, broken: Path) -> None:
    left_out = {"CONCLAVE_CHECKS_LEFT_OUT": '["broken"]'}
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "bridge"],
        env=environment_beside(broken) | left_out,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as bridge:
        assert bridge.stdout is not None
        assert any("bridge_ready" in line for line in bridge.stdout)
        bridge.terminate()


def test_commands_that_only_read_need_no_check(environment: Settings, broken: Path) -> None:
    done = conclave("deliberation", "list", beside=broken)
    assert (done.returncode, done.stderr) == (0, "")


def conclave(*arguments: str, beside: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command with another folder of packages on the path."""
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        env=environment_beside(beside) | (env or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def environment_beside(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(Path.cwd())))}
