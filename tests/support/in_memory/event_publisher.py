"""EventPublisher in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TypeVar

from domain.errors import PublishFailed, PublishRefused
from domain.event import Event
from domain.value import OpenValue

B = TypeVar("B", bound=OpenValue)


class MemoryEventPublisher:
    """EventPublisher that keeps what was published and the progress, each in order.

    It can be `away`, takes no event whose id is in `refused`, and confirms none whose id is in `unconfirmed`.
    """

    def __init__(self) -> None:
        self.published: list[Event] = []
        """Everything, as often as it was published."""
        self.progress: list[Event] = []
        self.away = False
        self.refused: set[str] = set()
        self.unconfirmed: set[str] = set()
        self._lock = threading.Lock()
        self._read: dict[str, Event] = {}

    @property
    def read(self) -> tuple[Event, ...]:
        """What a consumer would have read: each id once, progress among the rest."""
        with self._lock:
            return tuple(self._read.values())

    def publish(self, events: Sequence[Event]) -> None:
        if self.away:
            raise PublishFailed("scripted outage")
        for event in events:
            if event.event_id in self.refused:
                raise PublishRefused("scripted: too large", event.event_id)
        self._keep(events, self.published)
        sent = [event.event_id for event in events]
        if self.unconfirmed.intersection(sent):
            raise PublishFailed(
                "scripted: not confirmed",
                confirmed=tuple(event_id for event_id in sent if event_id not in self.unconfirmed),
                unconfirmed=tuple(event_id for event_id in sent if event_id in self.unconfirmed),
            )

    def publish_progress(self, events: Sequence[Event]) -> None:
        self._keep(events, self.progress)

    def of_type(self, event_type: str) -> list[Event]:
        """Return what was published under that type, as often as it was."""
        return [event for event in self.published if event.event_type == event_type]

    def bodies(self, kind: type[B]) -> list[B]:
        """Return the bodies of that kind that were published, in order."""
        return [event.body for event in self.published if isinstance(event.body, kind)]

    def _keep(self, events: Sequence[Event], kind: list[Event]) -> None:
        with self._lock:
            kind.extend(events)
            for event in events:
                self._read.setdefault(event.event_id, event)
