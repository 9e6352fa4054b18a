"""The examples in docs/examples run as they stand there."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from domain.checks.check import PlanFacts
from tests.acceptance.conftest import Pipeline
from tests.support.factories import fresh
from workers.checks.registry import GROUP, check_points, create
from workers.councils.read import parse_councils

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_publishing_an_approval_and_waiting_for_its_decision(pipeline: Pipeline) -> None:
    winner = json.loads(run(str(EXAMPLES / "decide.py"), pipeline.nats_url, fresh("example"), "DEV"))
    assert winner["agent_id"].startswith("agent-")


def test_an_approval_that_is_refused_is_told_to_its_publisher(pipeline: Pipeline) -> None:
    reason = json.loads(run(str(EXAMPLES / "decide.py"), pipeline.nats_url, " ", "DEV"))
    assert reason.startswith("field plan_id ")


def test_the_example_of_a_publisher_fits_on_a_page() -> None:
    code = [line for line in (EXAMPLES / "decide.py").read_text().splitlines() if line.strip()]
    assert len(code) <= 40


def test_consuming_decisions_also_those_made_while_away(pipeline: Pipeline) -> None:
    durable, plan_id = fresh("durable"), fresh("example")
    run(str(EXAMPLES / "decide.py"), pipeline.nats_url, plan_id, "DEV")
    identity, agent_id, score = run(str(EXAMPLES / "consume.py"), pipeline.nats_url, durable, "1").split()[:3]
    assert identity.startswith("d-")
    assert agent_id.startswith("agent-")
    assert 1 <= float(score) <= 9


def test_adding_a_council(pipeline: Pipeline) -> None:
    (council,) = parse_councils((EXAMPLES / "council.yaml").read_text(), source="the example")
    pipeline.services.councils.save(council)
    winner = json.loads(run(str(EXAMPLES / "decide.py"), pipeline.nats_url, fresh("example"), council.role))
    assert winner["agent_id"] in {agent.agent_id for agent in council.agents}


def test_adding_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = EXAMPLES / "owner_check"
    declared = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]
    monkeypatch.syspath_prepend(str(folder))
    points = [EntryPoint(name=name, value=value, group=GROUP) for name, value in declared.items()]
    (check,) = [create(point) for point in check_points(added=points) if point.name == "rollback_owner"]
    assert check.run("Rollback owner: ada", PlanFacts()).passed
    assert check.run("We will see.", PlanFacts()).cap == 0.5
