"""An action repeated on a thread of its own, so that no slow one elsewhere can hold it up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class PeriodicThread:
    """Calls `action` every `every_s` seconds from `start` to `stop`; what it raises is logged and forgotten."""

    def __init__(self, name: str, action: Callable[[], None], *, every_s: float) -> None:
        self._action = action
        self._every_s = every_s
        self._stopped = False
        self._wake = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin with a first call now."""
        self._thread.start()

    def now(self) -> None:
        """Don't wait for the next turn."""
        self._wake.set()

    def stop(self) -> None:
        """End; no call begins after this returns."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._once()
            self._wake.wait(self._every_s)
            self._wake.clear()

    def _once(self) -> None:
        try:
            self._action()
            self._failing = False
        except Exception as error:
            # Once per outage: a store that is away for an hour must not fill the log.
            log.log(logging.DEBUG if self._failing else logging.WARNING, "%s: %s", self._thread.name, error)
            self._failing = True
