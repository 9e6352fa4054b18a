"""The index of deliberations in memory: a view of the store, so the two can't differ."""

from __future__ import annotations

from math import inf

from tests.support.in_memory.deliberation_store import Kept, MemoryDeliberationStore


class MemoryDeliberationIndex:
    """DeliberationIndex computed from a MemoryDeliberationStore at every call."""

    def __init__(self, store: MemoryDeliberationStore) -> None:
        self._store = store

    def open_untouched_since(self, moment: float, limit: int) -> tuple[str, ...]:
        waiting = sorted((kept.touched_at, key) for key, kept in self._open().items() if kept.touched_at < moment)
        return tuple(key for _, key in waiting[: max(limit, 0)])

    def touch(self, deliberation_id: str, at: float) -> None:
        self._store.touch(deliberation_id, at)

    def count_open(self) -> int:
        return len(self._open())

    def newest(self, limit: int) -> tuple[str, ...]:
        return self._newest_first()[: max(limit, 0)]

    def of_plan(self, plan_id: str) -> tuple[str, ...]:
        return self._newest_first(plan_id)

    def _open(self) -> dict[str, Kept]:
        return {key: kept for key, kept in self._store.kept().items() if kept.closed_at == inf}

    def _newest_first(self, plan_id: str | None = None) -> tuple[str, ...]:
        horizon = self._store.clock.now() - self._store.retention_s
        found = [
            (kept.opened_at, key)
            for key, kept in self._store.kept().items()
            if kept.opened_at > horizon and plan_id in (None, kept.plan_id)
        ]
        return tuple(key for _, key in sorted(found, reverse=True))
