"""Accepted plans whose dispatch has not been done yet: what makes a lost message a delay and not a loss."""

from __future__ import annotations

from typing import Protocol


class PlanBacklog(Protocol):
    """Ids of saved requests until they are settled; `PlanStore.save` puts a new request in, atomically with it."""

    def take_overdue(self, before: float, limit: int) -> tuple[str, ...]:
        """Return requests that were saved, or taken here, before that moment (epoch seconds), oldest first.

        They count as taken now, so that no two callers take the same one at the same time.
        """
        ...

    def settle(self, request_id: str) -> None:
        """Take a dispatched request out; one that is not there is ignored."""
        ...

    def count(self) -> int:
        """Count the requests that wait to be dispatched."""
        ...
