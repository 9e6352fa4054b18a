"""The doctor finds a sound fleet sound, and names what would break a deliberation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.acceptance.conftest import Pipeline


def examine(**env: str) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "doctor", "--json"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def failures(found: list[dict[str, Any]]) -> dict[str, str]:
    return {one["subject"]: one["text"] for one in found if one["level"] == "fail"}


def test_a_running_fleet_is_sound(pipeline: Pipeline) -> None:
    code, found, errors = examine(**pipeline.fleet.env)
    assert failures(found) == {}, errors
    assert (code, errors) == (0, "")
    said = {one["subject"]: one["text"] for one in found}
    assert "nats-server 2." in said["nats"]
    assert "noeviction" in said["valkey eviction"]
    assert said["valkey append-only file"] == "on"
    assert "tokens for two proposals" in said[f"guided answers of {pipeline.fleet.model}"]
    assert any(subject.startswith("engine ") for subject in said)


def test_servers_that_are_away_are_named_with_their_address(pipeline: Pipeline) -> None:
    away = {"CONCLAVE_NATS_URL": "nats://127.0.0.1:1", "CONCLAVE_REDIS_URL": "redis://127.0.0.1:1"}
    code, found, _ = examine(**{**pipeline.fleet.env, **away})
    assert code == 1
    named = failures(found)
    assert "127.0.0.1:1" in named["nats"]
    assert "127.0.0.1:1" in named["valkey"]


def test_a_model_that_nobody_serves_is_named_with_who_serves_what(pipeline: Pipeline) -> None:
    code, found, _ = examine(**{**pipeline.fleet.env, "CONCLAVE_MODEL": "absent"})
    assert code == 1
    assert pipeline.fleet.model in failures(found)["model absent"]
