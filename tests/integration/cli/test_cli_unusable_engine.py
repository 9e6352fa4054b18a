"""Settings that name no engine stop whatever could have one, at its start and with one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from workers.settings import Settings

SETTINGS = [
    (
        {"CONCLAVE_ENGINE_KIND": "external"},
        "CONCLAVE_ENGINE_KIND is external and CONCLAVE_ENGINE_URL is not set: ",
    ),
    (
        {"CONCLAVE_ENGINE_KIND": "vllm", "CONCLAVE_ENGINE_URL": "http://127.0.0.1:9/v1"},
        "CONCLAVE_ENGINE_KIND is vllm and CONCLAVE_ENGINE_URL is set: ",
    ),
]


def conclave(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("arguments", [("worker", "--control"), ("bridge",), ("web",)], ids=" ".join)
def test_it_is_said_with_the_remedy(environment: Settings, arguments: tuple[str, ...]) -> None:
    env, words = SETTINGS[0]
    done = conclave(*arguments, **env)
    assert done.returncode == 1
    assert f"conclave: {words}" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(("env", "words"), SETTINGS)
def test_doctor_says_that_nothing_starts(environment: Settings, env: dict[str, str], words: str) -> None:
    said = {one["subject"]: one for one in json.loads(conclave("doctor", "--json", **env).stdout)}
    assert said["engine settings"]["level"] == "fail"
    assert f"no bridge and no worker with this starts: {words}" in said["engine settings"]["text"]
