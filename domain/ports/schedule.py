"""Where scheduled re-deliberations are kept."""

from __future__ import annotations

from typing import Protocol

from domain.schedule import ScheduledRedeliberation


class Schedule(Protocol):
    """The standing orders that beat follows; changed while it runs, it follows within seconds."""

    def put(self, standing: ScheduledRedeliberation) -> None:
        """Keep the order in place of an earlier one of its name. Raises InvalidCron, and keeps nothing then."""
        ...

    def remove(self, name: str) -> bool:
        """Forget the order of that name; False if there is none."""
        ...

    def all(self) -> tuple[ScheduledRedeliberation, ...]:
        """Return every order, by name."""
        ...
