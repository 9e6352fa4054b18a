"""Events to the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.event import Event


class EventPublisher(Protocol):
    """Publishes events."""

    def publish(self, events: Sequence[Event]) -> None:
        """Publish the events in order and return when every one is stored by the message system.

        Repeating an event with the same id is harmless: consumers see it once within the stream's
        duplicate window. Raises PublishFailed if any confirmation is missing, PublishRefused, before any of
        them is sent, for the first that will never be taken.
        """
        ...

    def publish_progress(self, events: Sequence[Event]) -> None:
        """Publish events that may get lost: no confirmation is awaited. Never raises, never blocks."""
        ...
