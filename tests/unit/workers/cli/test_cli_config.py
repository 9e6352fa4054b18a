"""Effective settings: every one, its variable, its source, and no secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.commands import run
from tests.support.factories import fresh
from workers.cli.config import MASK, Effective, effective_settings
from workers.settings import Settings
from workers.stack.folder import StackRecord, StateFolder

GROUPS = {
    "nats",
    "stream",
    "bridge",
    "events",
    "engine",
    "policy",
    "checks",
    "redeliberation",
    "metrics",
    "flower",
    "web",
}
RECORD = StackRecord(
    nats_url="nats://127.0.0.1:21001",
    redis_url="redis://127.0.0.1:21002",
    engine_url="http://127.0.0.1:21003/v1",
    flower_url=None,
    pids={},
)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("CONCLAVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / fresh("state")))


def effective() -> dict[str, Effective]:
    return {one.variable: one for one in effective_settings()}


def test_every_setting_is_named_once_by_the_variable_that_sets_it() -> None:
    plain = {f"CONCLAVE_{name.upper()}" for name in Settings.model_fields if name not in GROUPS}
    found = [one.variable for one in effective_settings()]
    assert len(found) == len(set(found))
    assert plain <= set(found)
    assert {"CONCLAVE_NATS_URL", "CONCLAVE_POLICY_ROUNDS", "CONCLAVE_POLICY_REVIEW_ORDERS"} <= set(found)
    assert {"CONCLAVE_POLICY", "CONCLAVE_POLICY_MODEL"}.isdisjoint(found)


@pytest.mark.parametrize(
    "name", [one.variable for one in effective_settings() if isinstance(one.value, int | float)]
)
def test_setting_the_variable_that_is_named_changes_the_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = effective()[name]
    # Limits stand at the contract's bounds unless they are lowered; a share is below one.
    step = -1 if "_LIMITS_" in name else 0.25 if name.endswith("_SHARE") else 1
    changed = json.dumps(not before.value if isinstance(before.value, bool) else before.value + step)
    monkeypatch.setenv(name, changed)
    after = effective()[name]
    assert after.source == "environment"
    assert json.dumps(after.value) == changed


def test_options_of_engines_are_shown_with_their_real_defaults() -> None:
    found = {name: one.value for name, one in effective().items()}
    assert found["CONCLAVE_ENGINE_KIND"] == "vllm"
    assert found["CONCLAVE_ENGINE_HOST"] == "127.0.0.1"
    assert found["CONCLAVE_ENGINE_STATE_DIR"] == ".conclave/engines"
    assert (found["CONCLAVE_ENGINE_START_WITHIN_S"], found["CONCLAVE_ENGINE_STALL_S"]) == (900, 60)


def test_no_password_or_token_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_REDIS_URL", "redis://user:hunter2@cache.example:6379")
    monkeypatch.setenv("CONCLAVE_NATS_URL", "nats://bob:hunter2@one.example:4222,nats://two.example")
    monkeypatch.setenv("CONCLAVE_ENGINE_URL", "https://bob:hunter2@gpu.example/v1")
    monkeypatch.setenv("CONCLAVE_NATS_PASSWORD", "hunter2")
    monkeypatch.setenv("CONCLAVE_ENGINE_KEY", "hunter2")
    found = effective()
    assert found["CONCLAVE_REDIS_URL"].value == "redis://cache.example:6379"
    assert found["CONCLAVE_NATS_URL"].value == ["nats://one.example:4222", "nats://two.example"]
    assert found["CONCLAVE_NATS_PASSWORD"].value == MASK
    for arguments in (["config"], ["config", "--json"]):
        assert "hunter2" not in run(*arguments).output


def test_the_stack_that_runs_here_gives_its_addresses_unless_the_environment_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = StateFolder(tmp_path / "stack")
    monkeypatch.setenv("CONCLAVE_STATE", str(folder.path))
    monkeypatch.setenv("CONCLAVE_NATS_URL", "nats://elsewhere:4222")
    with folder.claimed():
        folder.write(RECORD)
        found = effective()
    assert (found["CONCLAVE_REDIS_URL"].value, found["CONCLAVE_REDIS_URL"].source) == (
        RECORD.redis_url,
        "running stack",
    )
    assert (found["CONCLAVE_NATS_URL"].value, found["CONCLAVE_NATS_URL"].source) == (
        ["nats://elsewhere:4222"],
        "environment",
    )


def test_a_stack_that_no_longer_runs_gives_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "stack")
    monkeypatch.setenv("CONCLAVE_STATE", str(folder.path))
    with folder.claimed():
        pass
    folder.write(RECORD)
    assert effective()["CONCLAVE_REDIS_URL"].source == "default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCLAVE_WORKER_CONCURRENCY", "many"),
        ("CONCLAVE_POLICY_ROUNDS", "99"),
        ("CONCLAVE_NATS_URL", "[]"),
        ("CONCLAVE_ENGINE_GPUS", '["0", "0"]'),
        ("CONCLAVE_REDIS_URL", "redis://host/three"),
        ("CONCLAVE_PHASE_ROLES", "{not json"),
        ("CONCLAVE_RETENTION_S", "-1"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_in_one_line(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    result = run("config")
    assert result.exit_code == 2
    assert f"{name} can't be used" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCLAVE_NATS_URL", "nats://bob:hunter2@one.example:4222,nats://two.example"),
        ("CONCLAVE_REDIS_URL", "redis://user:hunter2@cache.example:6379"),
        ("CONCLAVE_NATS_PASSWORD", "hunter2"),
        ("CONCLAVE_EXTERNAL_ENGINES", '{"http://gpu/v1": "hunter2"}'),
        ("CONCLAVE_MAX_OPEN", "7"),
        ("CONCLAVE_STATE", "here"),
    ],
)
def test_one_value_is_revealed_on_request_as_its_variable_holds_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert run("config", "--reveal", name).output == f"{value}\n"


def test_what_is_no_setting_can_not_be_revealed() -> None:
    result = run("config", "--reveal", "CONCLAVE_PASSWORD")
    assert result.exit_code == 2
    assert "CONCLAVE_PASSWORD is no setting" in result.output


def test_the_logins_of_the_stack_that_runs_here_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "stack")
    monkeypatch.setenv("CONCLAVE_STATE", str(folder.path))
    with folder.claimed():
        folder.write(RECORD.model_copy(update={"nats_url": "nats://u:p@127.0.0.1:1", "flower_login": "u:f"}))
        assert run("config", "--reveal", "CONCLAVE_NATS_URL").output == "nats://u:p@127.0.0.1:1\n"
        assert run("config", "--reveal", "CONCLAVE_FLOWER_AUTH").output == "u:f\n"
        assert effective()["CONCLAVE_FLOWER_AUTH"] == Effective(
            variable="CONCLAVE_FLOWER_AUTH", value=MASK, source="running stack"
        )
