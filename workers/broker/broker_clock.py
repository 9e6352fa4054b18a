"""The broker's own clock, so that no worker's clock decides when a message counts as left behind."""

from __future__ import annotations

from typing import Any

NOW = "local time = redis.call('TIME') local now = string.format('%d.%06d', time[1], time[2])\n"
"""Begins a script: `now`, in epoch seconds as text, since Lua would write such a number with too few digits."""


def broker_time(client: Any) -> float:
    """Return the broker's epoch seconds; one command."""
    seconds, micros = client.time()
    return int(seconds) + int(micros) / 1e6
