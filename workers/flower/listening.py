"""How Flower listens for events: it asks for the broker again every few seconds, however long that is away."""

from __future__ import annotations

import logging
import time

from celery.events import EventReceiver
from flower import app, events  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 3.0
"""Flower's own pause doubles without an end: after an outage of hours it would stay deaf for hours more."""


class PatientEvents(events.Events):  # type: ignore[misc]  # flower has no types
    """Flower's thread that hears events."""

    def run(self) -> None:
        """Hear events for as long as the process lives."""
        while True:
            try:
                self._hear()
            except Exception as error:  # whatever it is, a thread that ends would leave Flower deaf
                log.error("no events are heard: %s; next try in %g s", error, AGAIN_AFTER_S)
                time.sleep(AGAIN_AFTER_S)

    def _hear(self) -> None:
        with self.capp.connection() as connection:
            receiver = EventReceiver(connection, handlers={"*": self.on_event}, app=self.capp)
            receiver.capture(limit=None, timeout=None, wakeup=True)


def install() -> None:
    """Have Flower listen so in this process; before it makes its application."""
    app.Events = PatientEvents
