"""Bounds that do not hold one another are named with their remedy."""

from __future__ import annotations

from typing import Any

import pytest

from domain.finding import Level, serious
from workers.doctor.time_bounds import examine_settings
from workers.settings import Settings


def test_the_defaults_nest() -> None:
    assert [finding.level for finding in examine_settings(Settings())] == [Level.OK]


@pytest.mark.parametrize(
    ("wrong", "named", "level"),
    [
        ({"policy": {"call_timeout_s": 700}}, "call_timeout_s", Level.FAIL),
        ({"policy": {"model_wait_s": 600}}, "model_wait_s", Level.WARN),
        ({"policy": {"sweep_after_s": 600}}, "sweep_after_s", Level.WARN),
        ({"policy": {"call_timeout_s": 30}}, "may hang for 60 s", Level.WARN),
        ({"engine": {"stall_s": 300}}, "may hang for 300 s", Level.WARN),
        ({"retention_s": 60}, "retention_s", Level.FAIL),
        ({"policy": {"token_budget": 100}}, "token_budget", Level.WARN),
        ({"redeliberation": {"stale_after_s": 1}}, "cool_down_s", Level.WARN),
    ],
)
def test_what_does_not_nest_is_named(wrong: dict[str, Any], named: str, level: Level) -> None:
    found = [finding for finding in examine_settings(Settings.model_validate(wrong)) if named in finding.text]
    assert {finding.level for finding in found} == {level}
    assert serious(found) is (level is Level.FAIL)
