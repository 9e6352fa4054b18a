"""`conclave schedule …`, `stats` and `dead-letter …` against real servers."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import nats
import pytest

from bridge.options import StreamLimits
from bridge.streams import PLANNING, dead_letter_stream, ensure
from bridge.subjects import PLAN_APPROVED, dead_letter_subject
from domain.services import Services
from domain.statistics import tally_of
from tests.support import factories as make
from tests.support.commands import Run, sentence
from tests.support.servers import NatsServer
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


@pytest.fixture
def letter(own_nats: NatsServer) -> int:
    """One dead letter as a bridge leaves it; its number."""

    async def leave() -> int:
        client = await nats.connect(own_nats.url)
        stream = client.jetstream()
        for plan in (PLANNING, dead_letter_stream()):
            await ensure(stream, plan, StreamLimits())
        headers = {"Conclave-Reason": "plan_id is empty", "Conclave-Subject": PLAN_APPROVED}
        stored = await stream.publish(dead_letter_subject(PLAN_APPROVED), b'{"plan_id": "\xff"}', headers=headers)
        await client.close()
        return stored.seq

    return asyncio.run(leave())


def test_a_dead_letter_is_listed_shown_and_thrown_away(run: Run, letter: int) -> None:
    listed = json.loads(run("dead-letter", "list", "--after", str(letter - 1), "--json").stdout)
    assert [(one["sequence"], one["reason"]) for one in listed] == [(letter, "plan_id is empty")]
    assert "plan_id is empty" in run("dead-letter", "list").stdout
    assert "plan_id is empty" in run("dead-letter", "show", str(letter)).stdout
    assert json.loads(run("dead-letter", "show", str(letter), "--json").stdout)["subject"] == PLAN_APPROVED
    assert run("dead-letter", "purge", str(letter)).stdout == "1 thrown away\n"
    gone = run("dead-letter", "show", str(letter))
    assert gone.exit_code == 2
    assert f"no dead letter {letter}" in sentence(gone)


def test_a_dead_letter_is_sent_again_and_gone(run: Run, letter: int) -> None:
    sent = run("dead-letter", "replay", str(letter))
    assert sent.stdout.startswith(f"{letter} sent again on {PLAN_APPROVED}: PLANNING_EVENTS:")
    assert run("dead-letter", "replay", str(letter)).exit_code == 2


def test_throwing_away_needs_to_be_told_what(run: Run, letter: int) -> None:
    assert run("dead-letter", "purge").exit_code == 2
    assert run("dead-letter", "purge", "--all", str(letter)).exit_code == 2
    assert run("dead-letter", "purge", "--all").exit_code == 0
    assert json.loads(run("dead-letter", "list", "--json").stdout) == []
    assert "no dead letters" in run("dead-letter", "list").stdout
