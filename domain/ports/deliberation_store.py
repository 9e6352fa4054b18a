"""The durable truth about deliberations: entries written once, with the events and counts that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.entry import Entry
from domain.event import Event
from domain.record import Record


class DeliberationStore(Protocol):
    """Entries by (deliberation, key), an index of the deliberations, and counters over all of them.

    An open deliberation is kept for good, a closed one until its retention ends; counters never expire. Every
    method may raise what its store raises while that is away, and may then be called again.
    """

    def record(
        self,
        deliberation_id: str,
        entry: Entry,
        *,
        events: Sequence[Event] = (),
        counters: Mapping[str, int] | None = None,
        token: int = 0,
    ) -> Entry:
        """Write the entry if its key is free and return the entry that is under the key afterwards.

        One atomic step: the entry, its events (into the Outbox), the counters, each raised by the number given,
        and the index of open deliberations change together or not at all. Where the key is taken nothing changes
        and the first entry is returned, so that a repeated call is harmless. An `Opened` makes the deliberation
        open, a `Closed` ends it; every entry written counts as a touch.
        Raises DeliberationClosed for a free key of an ended deliberation, LookupError for one never opened,
        ConclusionTakenOver if `token` is not 0 and is not the newest of this deliberation, StoreUnreconciled for a
        `Closed` while the store has a gap (`Continuity`).
        """
        ...

    def record_all(self, deliberation_id: str, entries: Sequence[Entry], *, token: int = 0) -> tuple[Entry, ...]:
        """Write several answers in one atomic step, each where its key is free, and return what stands afterwards.

        None of them may be an `Opened` or a `Closed`, and no two may have one key. Raises as `record` does if any
        key is free, nothing being written then.
        """
        ...

    def load(self, deliberation_id: str) -> Record:
        """Return all entries; raises LookupError naming the id if it was never opened or is past retention."""
        ...

    def take_over(self, deliberation_id: str) -> int:
        """Take the concluding step over and return its fencing token: above all earlier ones, which are void now.

        Counts as a touch; every call returns another token. Raises LookupError as `load` does.
        """
        ...

    def open_untouched_since(self, moment: float, limit: int) -> tuple[str, ...]:
        """Return open deliberations untouched since `moment` (epoch seconds), longest untouched first."""
        ...

    def begin_sweep(self, at: float, *, gap_s: float) -> float:
        """Note that a sweep begins at `at`, and return since when sweeps have begun without a gap of `gap_s`."""
        ...

    def touch(self, deliberation_id: str, at: float) -> None:
        """Count the deliberation as touched at `at` (epoch seconds, may lie ahead); nothing if it is not open."""
        ...

    def count_open(self) -> int:
        """Count the deliberations that have been opened and not closed."""
        ...

    def newest(self, limit: int) -> tuple[str, ...]:
        """Return the ids opened last, newest first, open or closed, within retention."""
        ...

    def of_plan(self, plan_id: str) -> tuple[str, ...]:
        """Return the ids opened for that plan, newest first, open or closed, within retention; empty if none."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return every counter that `record` has raised; one that was never raised is absent."""
        ...
