"""What a process does about its host's clock: it says how far it is from the store's, and has a bound on that."""

from __future__ import annotations

import os
import signal

import structlog

from workers.adapters.redis.clock import RedisClock
from workers.errors import Unavailable

log = structlog.get_logger("conclave.clock")

MAX_SKEW_S = 30.0
"""Order and deadlines follow the store's clock, whatever the host's says. Celery's countdowns and expiry are the
hosts' own: with clocks so far apart a retry comes half a minute late, and what beat sends for a minute has not
expired. A host that is further off has a fault that a person must see."""
NOTED_S = 1.0
"""A smaller difference is usual between hosts with NTP; a change by less is not said again."""


def refuse_skewed(clock: RedisClock) -> None:
    """Raise Unavailable where the host's clock is too far off. While the store is away nothing is known yet."""
    skew = clock.skew()
    if skew is not None and abs(skew) > MAX_SKEW_S:
        raise Unavailable(sentence(skew))


def sentence(skew: float) -> str:
    """Say by how much the host's clock is off, and what to do."""
    side = "ahead of" if skew > 0 else "behind"
    remedy = "set it, and run an NTP client"
    return f"this host's clock is {abs(skew):.1f} s {side} Valkey's, and {MAX_SKEW_S:g} s are tolerated: {remedy}"


class SkewWatch:
    """Says when a host's clock has moved against the store's, and ends the process when it is too far off.

    It ends as on SIGTERM, after what it has in hand; started again, it refuses until the clock is right.
    """

    def __init__(self) -> None:
        self._said: float | None = None

    def __call__(self, skew: float) -> None:
        if self._said is not None and abs(skew - self._said) < NOTED_S:
            return
        self._said = skew
        if abs(skew) > MAX_SKEW_S:
            log.error("clock too far off, ending", reason=sentence(skew))
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            write = log.info if abs(skew) < NOTED_S else log.warning
            write("clock compared with Valkey's", ahead_s=round(skew, 3))
