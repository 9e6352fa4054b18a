"""docs/coming-from-swe-ai-fleet.md leaves out no call of that system, and no field that concerns a council."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.neighbour_calls import CALLS, FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from-swe-ai-fleet.md").read_text(encoding="utf-8")
QUOTED = " ".join(re.findall(r"`([^`\n]+)`", PAGE))
NAMES = set(re.findall(r"\w+", QUOTED))


@pytest.mark.parametrize("service", CALLS)
def test_every_call_is_named_with_its_service(service: str) -> None:
    assert set(CALLS[service].split()) <= NAMES
    rows = [row for row in PAGE.splitlines() if service in row]
    assert rows, f"no line names {service}"


@pytest.mark.parametrize("message", FIELDS)
def test_every_field_that_concerns_a_council_is_named(message: str) -> None:
    assert set(FIELDS[message].split()) <= NAMES
