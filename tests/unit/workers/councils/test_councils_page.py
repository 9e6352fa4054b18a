"""docs/councils.md stays true: its tables are the models' fields with their defaults, its file can be applied."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from domain.council import MAX_AGENTS, Agent, Council
from domain.text.code_blocks import code_blocks
from workers.councils.read import parse_councils

PAGE = (Path(__file__).parents[4] / "docs" / "councils.md").read_text(encoding="utf-8")


def table(of: str) -> dict[str, str]:
    """Return the fields that a table names, with the words under `default`."""
    rows = PAGE[PAGE.index(f"| field of {of} |") :].split("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) ?\|", rows, flags=re.MULTILINE))


@pytest.mark.parametrize(("of", "model"), [("a council", Council), ("an agent", Agent)])
def test_the_tables_name_every_field_and_no_other(of: str, model: type[BaseModel]) -> None:
    assert list(table(of)) == list(model.model_fields)


@pytest.mark.parametrize(("of", "model"), [("a council", Council), ("an agent", Agent)])
def test_a_field_without_a_default_is_required(of: str, model: type[BaseModel]) -> None:
    without = {name for name, default in table(of).items() if not default}
    assert without == {name for name, field in model.model_fields.items() if field.is_required()}
    for name, default in table(of).items():
        if number := re.fullmatch(r"`([\d.]+)`", default):
            assert model.model_fields[name].default == float(number[1])


def test_the_bounds_are_those_of_the_models() -> None:
    assert f"1 to {MAX_AGENTS}, each" in PAGE
    Agent(agent_id="a", persona="x" * 4000, temperature=2)
    for beyond in ({"persona": "x" * 4001}, {"temperature": 2.1}):
        with pytest.raises(ValueError, match="should"):
            Agent(agent_id="a", **beyond)


def test_the_file_of_the_page_has_every_field_and_can_be_applied() -> None:
    text = next(block.body for block in code_blocks(PAGE) if block.language == "yaml")
    (council,) = parse_councils(text, source="the page")
    assert council.model_fields_set == set(Council.model_fields)
    assert council.architect is not None
    used = set().union(*(agent.model_fields_set for agent in (*council.agents, council.architect)))
    assert used == set(Agent.model_fields)
