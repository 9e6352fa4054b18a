"""The store's clock, so that hosts whose clocks differ agree about deadlines and about what came first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

REFRESH_S = 30.0
"""Between two looks at the store's clock: quartz drifts by a millisecond meanwhile."""
RETRY_S = 1.0
"""Between two tries while the store is away."""
STEP_S = 1.0
"""A host's clock that moves by more against its steady one was set, or the host was suspended: look at once."""
SLOW_S = 1.0
"""An answer that took longer tells the time too vaguely to replace an earlier one."""


@dataclass(frozen=True)
class Measure:
    """The three clocks at one moment, in seconds."""

    store: float
    host: float
    steady: float


class RedisClock:
    """Clock over `TIME`, asked for at first and every REFRESH_S; in between the host's steady clock goes on.

    While the store is away the last measure holds, before the first one the host's clock does. `observe` gets by
    how many seconds the host's clock is ahead of the store's, after each look, in the thread that asked the time.
    """

    def __init__(
        self,
        client: Redis,
        *,
        observe: Callable[[float], None] | None = None,
        host: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._observe = observe
        self._host = host
        self._steady = steady
        self._lock = threading.Lock()
        self._measure: Measure | None = None
        self._look_at = float("-inf")

    def now(self) -> float:
        with self._lock:
            looked = self._is_due() and self._look()
            measure = self._measure
        if looked and measure is not None and self._observe is not None:
            self._observe(measure.host - measure.store)
        return self._host() if measure is None else measure.store + self._steady() - measure.steady

    def skew(self) -> float | None:
        """Return by how many seconds the host's clock is ahead, as measured last; None if it never was."""
        self.now()
        return None if self._measure is None else self._measure.host - self._measure.store

    def _is_due(self) -> bool:
        steady = self._steady()
        if steady >= self._look_at:
            return True
        last = self._measure
        return last is not None and abs((self._host() - last.host) - (steady - last.steady)) > STEP_S

    def _look(self) -> bool:
        """Measure, and return whether that is the new measure."""
        before = self._steady()
        try:
            seconds, micros = self._client.time()
        except (RedisError, OSError):
            self._look_at = self._steady() + RETRY_S
            return False
        after = self._steady()
        if self._measure is not None and after - before > SLOW_S:
            self._look_at = after + RETRY_S
            return False
        half = (after - before) / 2
        self._measure = Measure(int(seconds) + int(micros) / 1e6, self._host() - half, after - half)
        self._look_at = after + REFRESH_S
        return True
