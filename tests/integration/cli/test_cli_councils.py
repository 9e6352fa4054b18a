"""`conclave council …` against a real Valkey."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.services import Services
from tests.support import factories as make
from tests.support.commands import Run, sentence
from workers.councils.read import default_councils

TWO = "councils:\n- {role: DEV, agents: [{agent_id: a}]}\n- {role: OPS, agents: [{agent_id: b}, {agent_id: c}]}\n"


def test_the_shipped_councils_are_applied_and_listed(run: Run) -> None:
    assert run("council", "apply", "--default").exit_code == 0
    listed = json.loads(run("council", "list", "--json").stdout)
    assert [council["role"] for council in listed] == ["ARCHITECT", "DATA", "DEV", "DEVOPS", "QA"]
    assert listed == [
        council.model_dump(mode="json") for council in sorted(default_councils(), key=lambda c: c.role)
    ]


def test_a_file_replaces_the_councils_of_its_roles_and_no_others(
    run: Run, services: Services, tmp_path: Path
) -> None:
    services.councils.save(make.council("QA"))
    services.councils.save(make.council("DEV", size=5))
    (tmp_path / "two.yaml").write_text(TWO)
    result = run("council", "apply", str(tmp_path / "two.yaml"))
    assert result.stdout.splitlines() == ["DEV: a", "OPS: b, c"]
    assert {council.role: len(council.agents) for council in services.councils.all()} == {
        "DEV": 1,
        "OPS": 2,
        "QA": 3,
    }


def test_standard_input_is_a_file_too(run: Run, services: Services) -> None:
    assert run("council", "apply", "-", stdin=TWO).exit_code == 0
    assert len(services.councils.all()) == 2


def test_nothing_of_a_wrong_file_is_applied(run: Run, services: Services) -> None:
    result = run("council", "apply", "-", stdin=TWO + "- {role: BAD, agents: []}\n")
    assert result.exit_code == 2
    assert "councils[2].agents" in result.stderr
    assert services.councils.all() == ()


def test_show_prints_personas_and_temperatures(run: Run) -> None:
    run("council", "apply", "--default")
    shown = run("council", "show", "QA")
    assert "qa-saboteur" in shown.stdout
    assert "temperature 0.75" in shown.stdout
    assert "You try to break things for a living" in " ".join(shown.stdout.split())
    assert json.loads(run("council", "show", "QA", "--json").stdout)["role"] == "QA"


def test_an_unknown_role_is_named_with_those_there_are(run: Run) -> None:
    run("council", "apply", "-", stdin=TWO)
    for command in ("show", "delete"):
        result = run("council", command, "CHEF")
        assert result.exit_code == 2
        assert result.stderr.startswith("conclave: no council for role CHEF: ")
        assert "(there are: DEV, OPS)" in result.stderr


def test_a_deleted_council_is_gone(run: Run, services: Services) -> None:
    run("council", "apply", "-", stdin=TWO)
    assert run("council", "delete", "dev").stdout == "DEV has no council any more\n"
    assert [council.role for council in services.councils.all()] == ["OPS"]


def test_an_empty_list_says_what_to_do(run: Run) -> None:
    assert json.loads(run("council", "list", "--json").stdout) == []
    assert "conclave council apply --default" in run("council", "list").stdout


def test_a_council_larger_than_allowed_is_refused_with_the_setting(
    run: Run, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCLAVE_POLICY_LIMITS_AGENTS", "1")
    result = run("council", "apply", "-", stdin=TWO)
    assert result.exit_code == 2
    assert "the council of OPS has 2 agents, 1 are allowed" in sentence(result)
    assert "CONCLAVE_POLICY_LIMITS_AGENTS" in sentence(result)
    assert services.councils.all() == ()
