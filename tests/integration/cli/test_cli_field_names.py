"""The names of the fields that reading commands print with --json: programs rely on them, so they stay."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.services import Services
from tests.integration.cli.test_cli_deliberations import kept
from tests.support import factories as make
from tests.support.commands import Run
from tests.support.stage import Stage

DELIBERATION = {
    *("deliberation_id", "plan_id", "story_id", "role", "state", "opened_at", "closed_at"),
    *("winner", "proposal_id", "reason", "repeat", "supersedes"),
}
FIELDS = {
    "deliberation list": DELIBERATION,
    "deliberation show ID": {*DELIBERATION, "progress", "result", "verdicts", "awaiting_verdict"},
    "deliberation watch ID": {
        *("deliberation_id", "plan_id", "title", "role", "state", "elapsed_s", "remaining_s"),
        *("stages", "members", "usage", "reason"),
    },
    "deliberation replay ID": {"deliberation_id", "identical", "replayed"},
    "council list": {"role", "agents", "architect"},
    "council show DEV": {"role", "agents", "architect"},
    "schedule list": {"name", "plan_id", "role", "cron", "next_run_at"},
    "stats": {"total", "roles", "people"},
    "config": {"variable", "value", "source"},
    "doctor": {"level", "subject", "text"},
}


FIGURES = {
    "cost",
    "unpriced_tokens",
    *("decided", "failed", "cancelled", "degraded", "contested", "agents_failed", "ballots", "ballots_missing"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "mean_duration_ms", "mean_kendall_w", "wins"),
}


@pytest.fixture
def deliberation_id(services: Services, run: Run) -> str:
    """A decided deliberation whose plan has a schedule."""
    services.councils.save(make.council("DEV"))
    identity = kept(Stage(make.council("DEV")).play(), services)
    plan_id = services.deliberations.load(identity).deliberation.plan.plan_id
    assert run("schedule", "add", "--plan", plan_id, "--role", "DEV", "--cron", "0 6 * * *").exit_code == 0
    return identity


def fields(document: Any) -> set[str]:
    """Return the names in a document, or in each of a list of them."""
    rows = document if isinstance(document, list) else [document]
    assert rows
    (names,) = {frozenset(row) for row in rows}
    return set(names)


@pytest.mark.parametrize("command", FIELDS)
def test_no_field_goes_or_gets_another_name(run: Run, deliberation_id: str, command: str) -> None:
    words = [deliberation_id if word == "ID" else word for word in command.split()]
    printed = run(*words, "--json").stdout
    assert fields(json.loads(printed)) == FIELDS[command]


def test_the_figures_of_the_statistics_keep_their_names(run: Run, deliberation_id: str) -> None:
    assert set(json.loads(run("stats", "--json").stdout)["total"]) == FIGURES
