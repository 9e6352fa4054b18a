"""docs/events.md names every field of the published language, and none that is not in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from bridge.options import ConsumerOptions
from bridge.streams import all_streams
from bridge.strict_json import MAX_BYTES, MAX_DEPTH, MAX_DIGITS
from domain.contract import OUTGOING, DeliberationHead
from domain.inbound import INCOMING

DOCUMENT = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
WORD = re.compile(r"`([a-z_]+)`")


def section(title: str) -> str:
    """Return the text under a subject's heading."""
    found = re.search(rf"^### `{re.escape(title)}`$(.*?)(?=^##|\Z)", DOCUMENT, re.M | re.S)
    assert found, f"docs/events.md has no section on {title}"
    return found[1]


def tabled(text: str) -> set[str]:
    """Return the words in the first column of the text's tables."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return {word for row in rows for word in WORD.findall(row)}


def fields(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize("subject", INCOMING)
def test_every_incoming_field_is_described(subject: str) -> None:
    assert tabled(section(subject)) == fields(INCOMING[subject])


@pytest.mark.parametrize(
    "event_type", [name for name, body in OUTGOING.items() if issubclass(body, DeliberationHead)]
)
def test_every_field_of_a_deliberations_events_is_described(event_type: str) -> None:
    assert tabled(section(event_type)) == fields(OUTGOING[event_type]) - fields(DeliberationHead)


@pytest.mark.parametrize(
    "event_type", [name for name, body in OUTGOING.items() if not issubclass(body, DeliberationHead)]
)
def test_every_field_of_the_other_events_is_named(event_type: str) -> None:
    assert fields(OUTGOING[event_type]) <= set(WORD.findall(section(event_type)))


def test_the_head_is_described() -> None:
    head = DOCUMENT[DOCUMENT.index("begin with the same head") :]
    assert tabled(head[: head.index("###")]) == fields(DeliberationHead)


def test_every_stream_is_described_with_its_subjects() -> None:
    for plan in all_streams():
        row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| `{plan.name}`"))
        subjects = {re.sub(r"\*\.conclave-.*", "*.NAME", subject) for subject in plan.subjects}
        assert all(f"`{subject}`" in row for subject in subjects)


def test_the_limits_are_those_of_the_code() -> None:
    assert MAX_BYTES == 1 << 20
    assert "more than 1 MiB" in DOCUMENT
    assert f"deeper than {MAX_DEPTH} levels" in " ".join(DOCUMENT.split())
    assert f"more than {MAX_DIGITS} digits" in " ".join(DOCUMENT.split())
    backoff = ", ".join(f"{wait:g}" for wait in ConsumerOptions().backoff_s)
    assert f"{backoff}, 10 … s" in DOCUMENT
