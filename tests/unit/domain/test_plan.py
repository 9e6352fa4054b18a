"""What a plan says of itself, whatever its publisher calls it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.factories import plan


@pytest.mark.parametrize(
    ("written", "urgency"),
    [
        ({}, None),
        ({"priority": "low"}, "low"),
        ({"priority_adjustment": "HIGH"}, "HIGH"),
        ({"priority": 0, "priority_adjustment": "HIGH"}, 0),
        ({"priority_adjustment": {"level": 1}}, None),
    ],
)
def test_an_adjusted_priority_stands_for_a_missing_one(written: dict[str, Any], urgency: str | int | None) -> None:
    assert plan(**written).urgency == urgency
