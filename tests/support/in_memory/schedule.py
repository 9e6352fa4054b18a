"""Scheduled re-deliberations in memory."""

from __future__ import annotations

from threading import Lock

from domain.schedule import ScheduledRedeliberation
from workers.adapters.cron import parse_cron


class MemorySchedule:
    """Schedule over a dict; nothing is sent from it."""

    def __init__(self) -> None:
        self._scheduled: dict[str, ScheduledRedeliberation] = {}
        self._lock = Lock()

    def put(self, scheduled: ScheduledRedeliberation) -> None:
        parse_cron(scheduled.cron)
        with self._lock:
            self._scheduled[scheduled.name] = scheduled

    def remove(self, name: str) -> bool:
        with self._lock:
            return self._scheduled.pop(name, None) is not None

    def all(self) -> tuple[ScheduledRedeliberation, ...]:
        with self._lock:
            return tuple(scheduled for _, scheduled in sorted(self._scheduled.items()))
