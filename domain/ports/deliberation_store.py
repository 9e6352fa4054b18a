"""The durable truth about deliberations: entries written once, events saved with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from domain.entry import Entry
from domain.event import Event
from domain.record import Record

NOTHING: Mapping[str, int] = MappingProxyType({})


class DeliberationStore(Protocol):
    """Entries by (deliberation, key)."""

    def record(
        self,
        deliberation_id: str,
        entry: Entry,
        *,
        events: Sequence[Event] = (),
        tally: Mapping[str, int] = NOTHING,
        fence: int = 0,
    ) -> Entry:
        """Write the entry if its key is free and return what stands under the key afterwards.

        One atomic step: the entry, its events (to the outbox), the counters that `tally` adds to (port Tally)
        and the index of open deliberations change together or not at all; where the key was taken nothing
        changes and the first entry is returned. An `Opened` makes the deliberation open, a `Closed` ends it.
        Raises DeliberationClosed for a free key of an ended deliberation, LookupError for one never opened,
        LeaseLost if `fence` is not 0 and is not the newest of this deliberation.
        """
        ...

    def load(self, deliberation_id: str) -> Record:
        """Return all entries; raises LookupError naming the id if it was never opened or is past retention."""
        ...

    def fence(self, deliberation_id: str) -> int:
        """Take the concluding step over: return a number above all earlier ones, which are void from now on."""
        ...
