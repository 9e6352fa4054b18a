"""What an operator sets arrives where it acts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.streams import StreamLimits
from domain.limits import Limits
from workers.composition import bridge_options, nats_options
from workers.settings import Settings

WORKERS = Path(__file__).parents[3] / "workers"
READERS = [path.read_text() for path in WORKERS.rglob("*.py") if path.name != "settings.py"]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_no_setting_is_without_effect(name: str) -> None:
    assert any(f".{name}" in text for text in READERS)


def test_streams_are_made_as_set() -> None:
    settings = Settings(stream_max_bytes=1 << 20, stream_max_age_s=60, duplicate_window_s=30, stream_replicas=3)
    made = bridge_options(settings).streams
    assert made == StreamLimits(max_bytes=1 << 20, max_age_s=60, duplicate_window_s=30, replicas=3)


def test_a_bridge_refuses_what_the_policy_forbids() -> None:
    settings = Settings.model_validate({"policy": {"limits": {"rounds": 1}}})
    assert bridge_options(settings).limits == Limits(rounds=1)


def test_nats_answers_us_below_the_prefix_that_is_set() -> None:
    assert nats_options(Settings(nats_inbox_prefix="_INBOX_publisher")).inbox_prefix == "_INBOX_publisher"
