"""Where scheduled re-deliberations are kept."""

from __future__ import annotations

from typing import Protocol

from domain.schedule import ScheduledRedeliberation


class Schedule(Protocol):
    """The scheduled re-deliberations that beat sends; beat takes up a change within seconds."""

    def put(self, scheduled: ScheduledRedeliberation) -> None:
        """Keep it in place of an earlier one of its name. Raises InvalidCron, and keeps the earlier one then."""
        ...

    def remove(self, name: str) -> bool:
        """Forget the one of that name; False if there is none."""
        ...

    def all(self) -> tuple[ScheduledRedeliberation, ...]:
        """Return all of them, by name."""
        ...
