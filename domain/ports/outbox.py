"""Events saved together with the state that they report, until they are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.event import Event


class Outbox(Protocol):
    """Events that are not yet known to be published; `DeliberationStore.record` adds the events of its entries.

    Every method may raise what its store raises while that is away, and may then be called again.
    """

    def pending(self, limit: int) -> tuple[Event, ...]:
        """Return unpublished events, postponed ones too, oldest first."""
        ...

    def due(self, limit: int) -> tuple[Event, ...]:
        """Return unpublished events that are not postponed, oldest first."""
        ...

    def postpone(self, until: Mapping[str, float]) -> None:
        """Leave events out of `due` until a moment: id → epoch seconds. A later call replaces an earlier one."""
        ...

    def count(self) -> int:
        """Return how many events are unpublished, without reading them."""
        ...

    def put(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Save events that belong to no deliberation's entry, in one atomic step, and return those that are new.

        An id that was put before, published or not, is passed over for as long as retention lasts: putting is
        the claim that makes a fact known once. An event of an entry needs no claim, and claims its id.
        """
        ...

    def published(self, event_ids: Sequence[str]) -> None:
        """Forget these events; ids that are not there are ignored."""
        ...
