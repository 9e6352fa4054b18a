"""Events saved with the state that they tell of, until they are published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.event import Event


class Outbox(Protocol):
    """What has happened and is not yet known to be published."""

    def pending(self, limit: int) -> tuple[Event, ...]:
        """Return unpublished events, oldest first."""
        ...

    def put(self, events: Sequence[Event]) -> None:
        """Save events that belong to no deliberation's entry; an id already pending stays as it is."""
        ...

    def published(self, event_ids: Sequence[str]) -> None:
        """Forget these events; ids that are not there are ignored."""
        ...
