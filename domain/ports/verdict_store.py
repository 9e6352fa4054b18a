"""People's verdicts on decisions, with the events and counts that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from domain.event import Event
from domain.verdict import Verdict


class VerdictStore(Protocol):
    """Verdicts by (deliberation, id), an index of the decisions that await one, and counters over all of them.

    Verdicts are kept for as long as their deliberation, counters for good. Every method may raise what its store
    raises while that is away, and may then be called again.
    """

    def record(
        self,
        verdict: Verdict,
        *,
        after: int,
        events: Sequence[Event] = (),
        counters: Mapping[str, int] | None = None,
        compared: bool = False,
    ) -> Verdict:
        """Write the verdict if its id is free, and return the one that is under the id afterwards.

        One atomic step: the verdict, its events (into the Outbox), the counters, and the index, which a verdict
        that settles leaves, change together or not at all. Where the id is taken nothing changes. Raises
        VerdictsChanged unless exactly `after` verdicts are recorded, LookupError for a deliberation that has not
        ended or is past retention, StoreUnreconciled for events while the store has a gap (`Continuity`), unless
        the caller has `compared` it with the streams.
        """
        ...

    def of(self, deliberation_id: str) -> tuple[Verdict, ...]:
        """Return the deliberation's verdicts in the order of their recording; empty if there are none."""
        ...

    def overdue(self, now: float, limit: int) -> tuple[str, ...]:
        """Return deliberations whose decision awaits a verdict that was due before `now`, longest due first.

        `DeliberationStore.record` makes a decision one of them, by its `verdict_due_at`.
        """
        ...

    def count_awaiting(self) -> int:
        """Count the decisions that await a verdict."""
        ...

    def forget(self, deliberation_id: str) -> None:
        """Await no verdict of that deliberation any more; nothing if none is awaited."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return every counter that `record` has changed."""
        ...
