"""Commands without their servers: one sentence with the address and the remedy, within seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import run, sentence
from workers.processes.ports import HOST, free_port


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CONCLAVE_REDIS_URL", f"redis://user:hunter2@{HOST}:{free_port()}")
    monkeypatch.setenv("CONCLAVE_NATS_URL", f"nats://user:hunter2@{HOST}:{free_port()}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("council", "list"),
        ("council", "show", "DEV"),
        ("council", "delete", "DEV"),
        ("council", "apply", "--default"),
        ("deliberation", "list"),
        ("deliberation", "show", "d-1"),
        ("deliberation", "watch", "d-1"),
    ],
)
def test_a_store_that_is_away_is_1_with_its_address_and_no_password(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert f"Valkey at redis://{HOST}:" in sentence(result)
    assert "CONCLAVE_REDIS_URL" in sentence(result)
    assert "hunter2" not in sentence(result)


def test_nats_that_is_away_is_1_with_its_address_and_no_password(tmp_path: Path) -> None:
    plan = '{"story_id": "s", "plan_id": "p", "roles": ["DEV"]}'
    result = run("approve", "-", stdin=plan)
    assert result.exit_code == 1
    assert f"NATS at nats://{HOST}:" in sentence(result)
    assert "hunter2" not in sentence(result)
