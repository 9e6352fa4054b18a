"""`conclave prove` on a running installation: tasks go in by NATS, records come out, answers are run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.proving.rules import COUNCIL, FIRST, ORACLE, RANDOM, SINGLE
from domain.verdict import CHECK, standing
from tests.acceptance.conftest import Pipeline
from tests.support.commands import run
from tests.support.factories import agents, council, fresh
from tests.support.scripted_answers import Body
from workers.processes.readiness import wait_until

SUM = {"id": "sum", "question": "What is 1 + 1?", "answer": 2}
SQUARE = {"id": "square", "question": "Write the function square(x).", "asserts": "assert square(3) == 9"}
HARD = {"id": "hard", "question": "Nobody knows this.", "matches": "[0-9]+ or less"}
TASKS = [SUM, SQUARE, HARD]


def answer(body: Body) -> str:
    """Answer by the seed: agent 2 adds well, agent 1 squares well, alone or in the council; the rest is wrong."""
    prompt, agent = body["messages"][-1]["content"], (body.get("seed") or 0) % 1000
    if "1 + 1" in prompt:
        return f"We add by seed {body.get('seed')}.\nAnswer: {2 if agent == 2 else 3}"
    if "square" in prompt:
        return f"```python\ndef square(x):\n    return x {'*' if agent == 1 else '+'} x  # {body.get('seed')}\n```"
    return f"Answer: unknown to {body.get('seed')}"


@pytest.fixture
def role(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A role whose council of three answers as above; commands find the installation by the environment."""
    monkeypatch.setenv("CONCLAVE_NATS_URL", pipeline.nats_url)
    monkeypatch.setenv("CONCLAVE_REDIS_URL", pipeline.fleet.env["CONCLAVE_REDIS_URL"])
    monkeypatch.setenv("CONCLAVE_ENGINE_URL", pipeline.engine.openai_url)
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / "state"))
    name = fresh("PROVE")
    members = tuple(agent.model_copy(update={"model": pipeline.fleet.model}) for agent in agents(3))
    pipeline.services.councils.save(council(name, agents=members))
    before, pipeline.engine.script.text = pipeline.engine.script.text, answer
    yield name
    pipeline.engine.script.text = before
    pipeline.services.councils.delete(name)


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(TASKS))
    return path


def prove(role: str, *arguments: object) -> Any:
    return run("prove", *map(str, arguments), "--role", role, "--check-seconds", "60")


def rows(proof: dict[str, Any]) -> dict[str, float]:
    return {row["rule"]: row["right"]["value"] for row in proof["rules"]}


def test_the_same_proposals_are_taken_by_every_rule_and_the_agent_alone_is_asked(
    role: str, tasks: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results.jsonl"
    result = prove(role, tasks, "--results", results, "--json", "--at-once", 3)
    assert result.exit_code == 0, result.stderr
    proof = json.loads(result.stdout)
    shares = rows(proof)
    assert proof["tasks"] == 3
    assert shares[FIRST] == pytest.approx(1 / 3)
    assert shares[RANDOM] == pytest.approx(2 / 9)
    assert shares[ORACLE] == pytest.approx(2 / 3)
    outcomes = {line["task_id"]: line for line in map(json.loads, results.read_text().splitlines()[1:])}
    assert outcomes.keys() == {"sum", "square", "hard"}
    assert [one["right"] for one in outcomes["sum"]["proposals"]] == [False, True, False]
    assert [one["right"] for one in outcomes["square"]["proposals"]] == [True, False, False]
    assert shares[COUNCIL] == sum(one["winner_right"] for one in outcomes.values()) / 3
    assert [outcomes[task]["single"]["right"] for task in ("sum", "square", "hard")] == [0.0, 1.0, 0.0]
    assert shares[SINGLE] == pytest.approx(1 / 3)
    for one in outcomes.values():
        assert (
            one["winner_right"] == {text["proposal_id"]: text["right"] for text in one["proposals"]}[one["winner"]]
        )
        assert one["single"]["samples"] >= 1
        # Reckoned from the first sample: ballots also read their own rules.
        assert one["single"]["tokens"] <= 1.25 * one["tokens"]
        assert one["tokens"] > sum(p["tokens"] for p in one["proposals"])


def test_a_proof_that_was_broken_off_asks_only_what_is_missing(
    role: str, tasks: Path, tmp_path: Path, pipeline: Pipeline
) -> None:
    results = tmp_path / "results.jsonl"
    assert prove(role, tasks, "--results", results, "--json", "--no-single").exit_code == 0
    lines = results.read_text().splitlines(keepends=True)
    results.write_text("".join(lines[:-1]) + lines[-1][:40])
    asked = len(pipeline.engine.bodies)
    again = prove(role, tasks, "--results", results, "--json", "--no-single")
    assert again.exit_code == 0, again.stderr
    assert "1 of 3 tasks to do" in again.stderr
    # The deliberation had ended: its record is read, no model is asked.
    assert len(pipeline.engine.bodies) == asked
    assert sorted(results.read_text().splitlines()) == sorted(line.rstrip("\n") for line in lines)


def test_what_checks_found_teaches_p_winner_once(
    role: str, tasks: Path, tmp_path: Path, pipeline: Pipeline
) -> None:
    results = tmp_path / "results.jsonl"
    for _ in range(2):
        proof = prove(role, tasks, "--results", results, "--no-single", "--learn")
        assert proof.exit_code == 0, proof.stderr
        assert "P(winner) learns from 2 of 3 tasks" in proof.stderr
    outcomes = {line["task_id"]: line for line in map(json.loads, results.read_text().splitlines()[1:])}
    verdicts = pipeline.services.verdicts
    for task in ("sum", "square"):
        identity = outcomes[task]["deliberation_id"]
        assert run("deliberation", "reject", identity, "--by", "ada").exit_code == 0
        assert wait_until(lambda: "ada" in standing(verdicts.of(identity)), within=120)  # noqa: B023 (called here)
        found = [one for one in verdicts.of(identity) if one.by != "ada"]
        assert [(one.by, one.verdict == "accept") for one in found] == [(CHECK, outcomes[task]["winner_right"])]
    assert verdicts.of(outcomes["hard"]["deliberation_id"]) == ()


def test_a_proof_that_is_interrupted_ends_at_once_and_keeps_what_it_has(
    role: str, tasks: Path, tmp_path: Path, pipeline: Pipeline
) -> None:
    results = tmp_path / "results.jsonl"
    pipeline.engine.script.hangs = lambda body: "Nobody knows" in body["messages"][-1]["content"]
    arguments = ("prove", str(tasks), "--role", role, "--results", str(results), "--at-once", "3", "--no-single")
    proving = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", *arguments], stderr=subprocess.PIPE, text=True
    )
    try:
        assert wait_until(lambda: results.exists() and results.read_text().count("\n") == 3, within=120)
        proving.send_signal(signal.SIGINT)
        _, told = proving.communicate(timeout=60)  # the task that hangs has ten minutes
    finally:
        pipeline.engine.script.hangs = lambda body: False
        proving.kill()
    assert proving.returncode != 0
    assert "Traceback" not in told
    assert len(results.read_text().splitlines()) == 3


def test_text_shows_the_rules_the_gain_and_what_confidence_was_worth(role: str, tasks: Path) -> None:
    result = prove(role, tasks)
    assert result.exit_code == 0, result.stderr
    for title in (
        "2 have right and wrong proposals",
        "taken by",
        "recovered gap",
        "tokens a task",
        "oracle",
        "council less single agent",
        "P(winner)",
    ):
        assert title in result.stdout
    assert result.stderr.count("proposals right") == 3


def test_a_threshold_or_a_baseline_that_is_missed_is_an_exit_code(role: str, tasks: Path, tmp_path: Path) -> None:
    results, saved = tmp_path / "results.jsonl", tmp_path / "baseline.json"
    first = prove(role, tasks, "--results", results, "--threshold", 1.1, "--save-baseline", saved, "--json")
    assert first.exit_code == 1
    assert "of the gap, 1.1 are asked for" in first.stderr
    assert json.loads(first.stdout)["tasks"] == 3
    assert prove(role, tasks, "--results", results, "--threshold", -9, "--baseline", saved).exit_code == 0
    better = json.loads(saved.read_text())
    for row in better["proof"]["rules"]:
        row["right"]["value"] = 2.0
    saved.write_text(json.dumps(better))
    worse = prove(role, tasks, "--results", results, "--baseline", saved)
    assert worse.exit_code == 1
    assert "the baseline 2.00" in worse.stderr


def test_what_can_not_be_used_is_refused_in_one_sentence(role: str, tasks: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("a: 1\n")
    other = tmp_path / "other.jsonl"
    assert prove(role, tasks, "--results", other, "--no-single").exit_code == 0
    for arguments, word in [
        ((tmp_path / "no-file",), "no-file"),
        ((notes,), "notes.txt"),
        ((tasks, "--results", notes), "holds no results of `conclave prove`"),
        (("--results", other), "results of other tasks"),
        ((tasks, "--baseline", other), "holds no baseline"),
    ]:
        result = prove(role, *arguments)
        assert result.exit_code == 2, result.output
        assert word in result.stderr.splitlines()[-1 if word != "notes.txt" else 0]
    nobody = run("prove", str(tasks), "--role", "NOBODY")
    assert nobody.exit_code == 2
    assert "there is no council for NOBODY" in nobody.stderr
