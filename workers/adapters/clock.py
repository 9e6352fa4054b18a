"""The time of day as this machine tells it."""

from __future__ import annotations

import time


class SystemClock:
    """The host's clock; hosts that share a store keep theirs together with NTP."""

    def now(self) -> float:
        return time.time()
