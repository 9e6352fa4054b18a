"""Engine settings that contradict one another stop every process at its start, with one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from workers.settings import Settings

SENTENCE = "CONCLAVE_ENGINE_KIND is external and CONCLAVE_ENGINE_URL is not set: "


def conclave(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        env={**os.environ, "CONCLAVE_ENGINE_KIND": "external"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("arguments", [("worker", "--control"), ("bridge",)], ids=" ".join)
def test_it_is_said_with_the_remedy(environment: Settings, arguments: tuple[str, ...]) -> None:
    done = conclave(*arguments)
    assert done.returncode == 1
    assert f"conclave: {SENTENCE}" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_doctor_says_that_nothing_starts(environment: Settings) -> None:
    said = {one["subject"]: one for one in json.loads(conclave("doctor", "--json").stdout)}
    assert said["engine settings"]["level"] == "fail"
    assert f"no bridge and no worker with this starts: {SENTENCE}" in said["engine settings"]["text"]
