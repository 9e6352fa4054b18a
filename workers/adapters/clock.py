"""The time of day as this machine tells it."""

from __future__ import annotations

import time


class SystemClock:
    """The host's clock, for what concerns this host alone; between hosts the store's clock counts."""

    def now(self) -> float:
        return time.time()
