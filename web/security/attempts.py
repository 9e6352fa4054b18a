"""How often somebody may try to log in."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

MOST_KEYS = 10_000
"""Names and addresses that are remembered; the one that was used longest ago is forgotten first."""


class Attempts:
    """At most `most` attempts in `window_s` for each key; kept in memory, by each process for itself."""

    def __init__(self, *, most: int, window_s: float, now: Callable[[], float]) -> None:
        self._most = most
        self._window_s = window_s
        self._now = now
        self._made: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def forget(self, key: str) -> None:
        """Count no attempt of that key any more."""
        with self._lock:
            self._made.pop(key, None)

    def wait_s(self, key: str) -> float:
        """Count an attempt and return 0, or the seconds until the next one may be made, which then counts."""
        with self._lock:
            made = self._made.setdefault(key, deque())
            self._made.move_to_end(key)
            while len(self._made) > MOST_KEYS:
                self._made.popitem(last=False)
            horizon = self._now() - self._window_s
            while made and made[0] <= horizon:
                made.popleft()
            if len(made) >= self._most:
                return made[0] - horizon
            made.append(self._now())
            return 0.0
