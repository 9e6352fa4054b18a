"""Touches the deliberations that this process works on, so that the sweep leaves them alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from domain.ports.clock import Clock
from domain.ports.deliberation_store import DeliberationStore

log = structlog.get_logger("conclave.heartbeat")

RETRY_S = 0.5
"""After a touch that failed: when the store is back, or takes writes again, the sweep waits only for so long."""


class DeliberationHeartbeat:
    """Touches every deliberation that a step is working on, every `every_s` seconds.

    One thread per process, started with the first step, ended with the process.
    """

    def __init__(self, *, deliberations: DeliberationStore, clock: Clock, every_s: float) -> None:
        self._deliberations = deliberations
        self._clock = clock
        self._every_s = every_s
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._missed = False

    @contextmanager
    def working_on(self, deliberation_id: str) -> Iterator[None]:
        """Count the deliberation as worked on while the block runs."""
        with self._lock:
            self._running[deliberation_id] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._running[deliberation_id] -= 1
                self._running += Counter()  # drops what is at zero

    def _beat(self) -> None:
        pause, wait_s = threading.Event(), self._every_s
        while not pause.wait(wait_s):
            with self._lock:
                running = list(self._running)
            missed = self._touch_all(running)
            wait_s = min(self._every_s, RETRY_S) if missed else self._every_s

    def _touch_all(self, running: Sequence[str]) -> bool:
        """Touch deliberations up to the first failure, which the next beat makes up for; True if there was one."""
        for deliberation_id in running:
            try:
                self._deliberations.touch(deliberation_id, self._clock.now())
            except Exception as error:  # the thread must live, whatever the store does
                if not self._missed:
                    log.warning("touch failed", deliberation_id=deliberation_id, error=repr(error))
                self._missed = True
                return True
        self._missed = False
        return False
