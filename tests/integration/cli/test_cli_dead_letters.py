"""`conclave dead-letter …` against a real server."""

from __future__ import annotations

import json

import pytest

from bridge.subjects import PLAN_APPROVED
from tests.support.commands import Run, sentence
from tests.support.servers import NatsServer
from tests.support.streams import leave_dead_letter


@pytest.fixture
def letter(own_nats: NatsServer) -> int:
    """One dead letter as a bridge leaves it; its number."""
    headers = {"Conclave-Reason": "plan_id is empty", "Conclave-Subject": PLAN_APPROVED}
    return leave_dead_letter(own_nats.url, b'{"plan_id": "\xff"}', headers)


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
