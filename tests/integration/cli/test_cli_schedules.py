"""`conclave schedule …` and `stats` against real servers."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from domain.services import Services
from domain.statistics import tally_of
from tests.support import factories as make
from tests.support.commands import Run, sentence
from tests.support.stage import Stage


@pytest.fixture
def decided(services: Services) -> str:
    """A decided deliberation of role DEV, with its counters; the plan's id."""
    services.councils.save(make.council("DEV"))
    stage = Stage(make.council("DEV"))
    record = stage.play()
    identity, closed = record.deliberation.deliberation_id, record.closed
    assert closed is not None
    before = stage.services.deliberations.load(identity)
    for entry in sorted(record.entries.values(), key=lambda one: {"opened": -1, "closed": 1}.get(one.key, 0)):
        counters = tally_of(before, closed) if entry is closed else {}
        services.deliberations.record(identity, entry, counters=counters)
    return record.deliberation.plan.plan_id


def add(run: Run, plan: str, role: str = "DEV", cron: str = "0 6 * * *", *more: str) -> Any:
    return run("schedule", "add", "--plan", plan, "--role", role, "--cron", cron, *more)


def test_a_schedule_is_added_listed_and_removed(run: Run, decided: str) -> None:
    added = add(run, decided)
    assert added.stdout.startswith(f"{decided}.DEV  next ")
    (listed,) = json.loads(run("schedule", "list", "--json").stdout)
    assert datetime.fromisoformat(listed.pop("next_run_at")).hour == 6
    assert listed == {"name": f"{decided}.DEV", "plan_id": decided, "role": "DEV", "cron": "0 6 * * *"}
    assert decided in run("schedule", "list").stdout
    assert run("schedule", "rm", f"{decided}.DEV").exit_code == 0
    assert json.loads(run("schedule", "list", "--json").stdout) == []
    assert "conclave schedule add" in run("schedule", "list").stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cron": "61 * * * *"}, "cron '61 * * * *' can't be read"),
        ({"cron": "daily"}, "cron 'daily' has 1 fields: it needs 5"),
        ({"plan": "no-such-plan"}, "no plan no-such-plan; approve it first"),
        ({"role": "QA"}, "was never asked of role QA (it was of: DEV)"),
        ({"role": ""}, "--role can't be used"),
    ],
)
def test_what_could_never_be_followed_is_one_sentence_and_2(
    run: Run, decided: str, wrong: dict[str, str], said: str
) -> None:
    result = add(run, **({"plan": decided} | wrong))
    assert result.exit_code == 2
    assert said in sentence(result)
    assert json.loads(run("schedule", "list", "--json").stdout) == []


def test_a_role_whose_council_is_gone_is_one_sentence_and_2(run: Run, services: Services, decided: str) -> None:
    services.councils.delete("DEV")
    result = add(run, decided)
    assert result.exit_code == 2
    assert "no council for role DEV: apply one" in sentence(result)


def test_a_name_that_can_not_be_typed_is_one_sentence_and_2(run: Run, decided: str) -> None:
    result = add(run, decided, "DEV", "0 6 * * *", "--name", "a b")
    assert result.exit_code == 2
    assert "--name takes" in sentence(result)


@pytest.mark.parametrize("command", ["rm", "run-now"])
def test_an_unknown_schedule_is_named_with_those_there_are(run: Run, decided: str, command: str) -> None:
    add(run, decided, "DEV", "0 6 * * *", "--name", "nightly")
    result = run("schedule", command, "weekly")
    assert result.exit_code == 2
    assert "no schedule weekly" in sentence(result)
    assert "(there are: nightly)" in sentence(result)


def test_run_now_opens_what_supersedes_the_last(run: Run, services: Services, decided: str) -> None:
    add(run, decided, "DEV", "0 6 * * *", "--name", "nightly")
    following = run("schedule", "run-now", "nightly").stdout.strip()
    before = services.deliberations.load(following).deliberation.supersedes
    assert before in services.deliberations.of_plan(decided)
    again = run("schedule", "run-now", "nightly")
    assert again.exit_code == 1
    assert f"{following} is still" in sentence(again)


def test_statistics_are_printed_in_total_and_by_role(run: Run, decided: str) -> None:
    figures = json.loads(run("stats", "--json").stdout)
    assert figures["total"]["decided"] == figures["roles"]["DEV"]["decided"] == 1
    assert sum(figures["roles"]["DEV"]["wins"].values()) == 1
    text = run("stats").stdout
    for part in ("decided", "mean duration", "DEV won by: agent-"):
        assert part in text


def test_statistics_of_nothing_are_noughts(run: Run) -> None:
    assert json.loads(run("stats", "--json").stdout)["total"]["decided"] == 0
    assert run("stats").exit_code == 0
