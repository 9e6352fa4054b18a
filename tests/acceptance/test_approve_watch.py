"""`conclave approve PLAN --watch` on a running installation: approved, followed and explained by one command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import Pipeline
from tests.support.commands import run
from tests.support.factories import council, fresh


@pytest.fixture(autouse=True)
def _here(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands find the installation by the environment."""
    monkeypatch.setenv("CONCLAVE_NATS_URL", pipeline.nats_url)
    monkeypatch.setenv("CONCLAVE_REDIS_URL", pipeline.fleet.env["CONCLAVE_REDIS_URL"])
    monkeypatch.setenv("CONCLAVE_MODEL", pipeline.fleet.model)
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / "state"))


def plan(*roles: str) -> str:
    return json.dumps({"story_id": fresh("story"), "plan_id": fresh("plan"), "title": "Export", "roles": roles})


def test_each_role_is_followed_to_its_decision_which_is_explained() -> None:
    result = run("approve", "-", "--approved-by", "ada", "--watch", stdin=plan("DEV", "QA"))
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert result.stdout.count("Winner: ") == 2
    assert result.stdout.count("decided after") == 2
    assert len({line.split()[0] for line in result.stdout.splitlines() if line.startswith("d-")}) == 2


def test_json_holds_every_decision_and_progress_goes_to_standard_error() -> None:
    result = run("approve", "-", "--approved-by", "ada", "--watch", "--json", stdin=plan("DEV"))
    assert result.exit_code == 0, result.output
    (decided,) = json.loads(result.stdout)["deliberations"]
    assert (decided["role"], decided["state"]) == ("DEV", "decided")
    assert decided["result"]["winner"]["proposal_id"] == decided["proposal_id"]
    assert "decided after" in result.stderr


def test_a_role_without_a_council_is_said_before_and_ends_with_1() -> None:
    result = run("approve", "-", "--approved-by", "ada", "--watch", stdin=plan("CHEF"))
    assert result.exit_code == 1
    before, *_, last = result.stderr.splitlines()
    assert before.startswith("conclave: no council for role CHEF: ")
    assert " failed: no council for role CHEF" in last


def test_a_model_that_nothing_serves_is_said_with_who_uses_it(pipeline: Pipeline) -> None:
    role = fresh("LONELY")
    agents = council("DEV").agents
    members = (
        agents[0].model_copy(update={"model": "absent"}),
        *(agent.model_copy(update={"model": None}) for agent in agents[1:]),
    )
    architect = agents[0].model_copy(update={"agent_id": "the-architect", "model": "absent"})
    pipeline.services.councils.save(council(role, agents=members, architect=architect))
    result = run("approve", "-", "--approved-by", "ada", stdin=plan(role))
    pipeline.services.councils.delete(role)
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        f"conclave: no engine serves absent (served: {pipeline.fleet.model}): agent-1, the-architect of {role}"
    )


def test_a_sound_council_is_approved_in_silence() -> None:
    result = run("approve", "-", "--approved-by", "ada", stdin=plan("dev"))
    assert (result.exit_code, result.stderr) == (0, "")
