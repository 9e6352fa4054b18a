"""Live engines in memory."""

from __future__ import annotations

from threading import Lock

from domain.engine import EngineRecord
from domain.ports.clock import Clock


class MemoryEngineDirectory:
    """EngineDirectory over a dict; records expire by `clock`."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, tuple[float, EngineRecord]] = {}
        self._lock = Lock()

    def publish(self, record: EngineRecord, ttl_s: float) -> None:
        with self._lock:
            self._records[record.name] = (self._clock.now() + ttl_s, record)

    def withdraw(self, name: str) -> None:
        with self._lock:
            self._records.pop(name, None)

    def serving(self, model: str) -> tuple[EngineRecord, ...]:
        return tuple(record for record in self.all() if record.ready and record.model == model)

    def all(self) -> tuple[EngineRecord, ...]:
        now = self._clock.now()
        with self._lock:
            live = [record for until, record in self._records.values() if until > now]
        return tuple(sorted(live, key=lambda record: (record.model, record.name)))
