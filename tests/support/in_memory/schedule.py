"""Standing schedules in memory."""

from __future__ import annotations

from threading import Lock

from domain.schedule import ScheduledRedeliberation
from workers.adapters.cron import parse_cron


class MemorySchedule:
    """Schedule over a dict; nobody sends what stands in it."""

    def __init__(self) -> None:
        self._standing: dict[str, ScheduledRedeliberation] = {}
        self._lock = Lock()

    def put(self, standing: ScheduledRedeliberation) -> None:
        parse_cron(standing.cron)
        with self._lock:
            self._standing[standing.name] = standing

    def remove(self, name: str) -> bool:
        with self._lock:
            return self._standing.pop(name, None) is not None

    def all(self) -> tuple[ScheduledRedeliberation, ...]:
        with self._lock:
            return tuple(one for _, one in sorted(self._standing.items()))
