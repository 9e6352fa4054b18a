"""Each scenario by name: nothing lost, nothing ended twice, no false accusation, statistics equal to the events.

CHAOS_S (default 300) chooses how much: below 300 each scenario is small, and those that would begin after twice
that many seconds are skipped.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.acceptance.chaos.report import Row, Rows
from tests.acceptance.chaos.scenario import Scenario, play
from tests.acceptance.chaos.scenarios import SCENARIOS
from workers.processes.guard import Guard

BUDGET_S = float(os.environ.get("CHAOS_S", "300"))
WHOLE_S = 300.0
MANY, FEW = 80, 10
"""Approvals of a scenario in the long form, which makes a thousand with the random kills, and in the short one."""
COUNT = MANY if BUDGET_S >= WHOLE_S else FEW

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_scenario(scenario: Scenario, tmp_path: Path, guard: Guard, rows: Rows) -> None:
    if lacking := scenario.needs():
        pytest.skip(lacking)
    if BUDGET_S < WHOLE_S and rows.spent_s > 2 * BUDGET_S:
        pytest.skip(f"twice CHAOS_S={BUDGET_S:g} is used up; `make chaos` runs it")
    began = time.monotonic()
    played = play(scenario, COUNT, tmp_path, guard)
    rows.add(Row(scenario.name, played.ledger, played.findings, time.monotonic() - began))
    assert played.findings == [], "\n".join(map(str, played.findings))
