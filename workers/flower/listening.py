"""How Flower captures events: it asks for the broker again every few seconds, however long that is away."""

from __future__ import annotations

import logging
import time

from celery import Celery
from celery.events import EventReceiver
from flower import app, events  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 3.0
"""Flower's own pause doubles without an end: after an outage of hours it would miss events for hours more."""


class ReconnectingEvents(events.Events):  # type: ignore[misc]  # flower has no types
    """Flower's thread that captures events."""

    capp: Celery

    def run(self) -> None:
        """Capture events for as long as the process lives."""
        # https://github.com/mher/flower/issues/321 resets the pause after a success; it still has no bound.
        while True:
            try:
                self._capture()
            except Exception as error:  # if this thread ended, Flower would show no further event
                log.error("no events are captured: %s; next try in %g s", error, AGAIN_AFTER_S)
                time.sleep(AGAIN_AFTER_S)

    def _capture(self) -> None:
        with self.capp.connection() as connection:
            receiver = EventReceiver(connection, handlers={"*": self.on_event}, app=self.capp)
            receiver.capture(limit=None, timeout=None, wakeup=True)


def install() -> None:
    """Have Flower capture so in this process; call it before Flower makes its application."""
    app.Events = ReconnectingEvents
