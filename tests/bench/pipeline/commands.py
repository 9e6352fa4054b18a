"""Counts what Valkey is asked for a piece of work, beyond what its clients ask it anyway."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from redis import Redis

T = TypeVar("T")
IDLE_S = 5.0
"""How long the clients' polling is watched; each polls about once a second."""


class CommandCount:
    """Commands as the server counts them, those inside scripts too, less the clients' polling."""

    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(url)
        before = self._processed()
        time.sleep(IDLE_S)
        self._idle_rate = (self._processed() - before) / IDLE_S
        self.total = 0.0

    def during(self, work: Callable[[], T]) -> T:
        """Do the work, add its commands to `total`, return what it returns."""
        before, began = self._processed(), time.monotonic()
        done = work()
        time.sleep(0.2)  # until the last acknowledgements are in
        polled = self._idle_rate * (time.monotonic() - began)
        self.total += self._processed() - before - polled
        return done

    def _processed(self) -> int:
        return int(self._client.info("stats")["total_commands_processed"])
