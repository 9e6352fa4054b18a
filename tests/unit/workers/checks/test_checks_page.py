"""docs/checks.md stays true: its table names the checks there are, its example runs in the gate."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from domain.checks.check import PlanFacts
from domain.checks.gate import run_gate
from domain.checks.runner import InProcess
from domain.text.code_blocks import code_blocks
from workers.checks.registry import CODE, GROUP, OWN

PAGE = (Path(__file__).parents[4] / "docs" / "checks.md").read_text()
BLOCKS = {block.language: block.body for block in code_blocks(PAGE)}


def test_the_table_names_every_check_of_conclaves_own_and_no_other() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(named) == sorted(point.name for point in (*OWN, CODE))


def test_the_example_check_caps_as_the_page_says() -> None:
    space: dict[str, Any] = {"__name__": "our_checks"}
    exec(BLOCKS["python"], space)
    check = space["NamesAnOwner"]()

    assert run_gate(InProcess([check]), "Roll back by hand.", PlanFacts()).cap == 0.6
    assert run_gate(InProcess([check]), "Rollback owner: Ada.", PlanFacts()).cap is None


def test_the_example_declares_it_in_the_group_that_is_searched_under_its_own_name() -> None:
    declared = tomllib.loads(BLOCKS["toml"])["project"]["entry-points"][GROUP]

    assert declared == {"names_an_owner": "our_checks:NamesAnOwner"}
