"""The committed contract is what the models say, and nothing in it was broken without a word."""

from __future__ import annotations

import copy
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bridge.aliases import ALIASES
from domain.contract import OUTGOING
from domain.inbound import INCOMING
from tests.support.breaking_changes import breaking_changes
from workers.cli.schema_documents import asyncapi, documents

ROOT = Path(__file__).parents[4]
COMMITTED = ROOT / "docs" / "schema"
RELEASED = COMMITTED / "released"
"""The contract of the last release: copied there when a version is cut."""
SUBJECTS = [*INCOMING, *OUTGOING, *ALIASES]
RELEASED_SUBJECTS = sorted(path.stem for path in RELEASED.glob("*.json"))


def test_the_committed_documents_are_up_to_date() -> None:
    now = documents(version("conclave-council"))
    stale = [name for name, text in now.items() if (COMMITTED / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `conclave schema`"


@pytest.mark.parametrize("subject", RELEASED_SUBJECTS)
def test_a_change_that_breaks_readers_is_announced_in_the_changelog(subject: str) -> None:
    released = RELEASED / f"{subject}.json"
    now = json.loads(documents("0")[f"{subject}.json"])
    broken = breaking_changes(json.loads(released.read_text()), now, incoming=subject in INCOMING)
    unannounced = [one for one in broken if subject not in _announced()]
    assert unannounced == [], "write a line that begins with Breaking and names the subject into the CHANGELOG"


def _announced() -> str:
    unreleased = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## ")[2].partition("\n## ")[0]
    return "\n".join(line for line in unreleased.splitlines() if line.lstrip("-* ").startswith("Breaking"))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_schema_is_a_schema(subject: str) -> None:
    Draft202012Validator.check_schema(json.loads(documents("0")[f"{subject}.json"]))


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    document = asyncapi("1")
    references: list[str] = []

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            references.extend(value for key, value in part.items() if key == "$ref")
            for value in part.values():
                collect(value)
        elif isinstance(part, list):
            for value in part:
                collect(value)

    collect(document)
    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


COMPLETED = json.loads(documents("0")["orchestration.deliberation.completed.json"])


def changed(edit: Any, base: dict[str, Any] = COMPLETED) -> dict[str, Any]:
    schema = copy.deepcopy(base)
    edit(schema)
    return schema


def test_a_removed_field_is_a_break() -> None:
    without = changed(lambda schema: schema["properties"].pop("winner"))
    assert breaking_changes(COMPLETED, without, incoming=False) == ["winner is gone"]


def test_a_removed_field_deep_inside_is_a_break() -> None:
    without = changed(lambda schema: schema["$defs"]["Author"]["properties"].pop("agent_id"))
    assert "decisions[].proposal.author.agent_id is gone" in breaking_changes(COMPLETED, without, incoming=False)


def test_another_type_is_a_break_and_a_new_field_is_none() -> None:
    other = changed(lambda schema: schema["properties"]["tied"].update(type="string"))
    assert breaking_changes(COMPLETED, other, incoming=False) == ["tied may now be string"]
    more = changed(lambda schema: schema["properties"].update(mood={"type": "string"}))
    assert breaking_changes(COMPLETED, more, incoming=False) == []


def test_asking_more_of_publishers_is_a_break() -> None:
    plan = json.loads(documents("0")["planning.plan.approved.json"])
    stricter = changed(lambda schema: schema["required"].append("title"), plan)
    assert breaking_changes(plan, stricter, incoming=True) == ["title is now required"]
