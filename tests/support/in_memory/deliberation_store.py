"""Deliberations in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from threading import RLock

from domain.entry import Closed, Entry, Opened
from domain.errors import ConclusionTakenOver, DeliberationClosed
from domain.event import Event
from domain.ports.clock import Clock
from domain.ports.deliberation_store import NOTHING
from domain.record import Record
from tests.support.in_memory.outbox import MemoryOutbox


@dataclass
class Kept:
    """One deliberation and what its index needs to know; times in epoch seconds."""

    plan_id: str
    opened_at: float
    touched_at: float
    closed_at: float = inf
    fence: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)


class MemoryDeliberationStore:
    """DeliberationStore over a dict; its index is a view of it (MemoryDeliberationIndex)."""

    def __init__(self, *, clock: Clock, outbox: MemoryOutbox, retention_s: float = inf) -> None:
        self.clock = clock
        self.retention_s = retention_s
        self._outbox = outbox
        self._kept: dict[str, Kept] = {}
        self._counts: Counter[str] = Counter()
        self._lock = RLock()

    def record(
        self,
        deliberation_id: str,
        entry: Entry,
        *,
        events: Sequence[Event] = (),
        tally: Mapping[str, int] = NOTHING,
        fence: int = 0,
    ) -> Entry:
        with self._lock:
            kept = self.kept().get(deliberation_id) or self._unwritten(deliberation_id, entry)
            if entry.key in kept.entries:
                return kept.entries[entry.key]
            _refuse_late(deliberation_id, kept, entry, fence)
            now = self.clock.now()
            kept.entries[entry.key] = entry
            kept.touched_at = now
            kept.closed_at = now if isinstance(entry, Closed) else inf
            self._kept[deliberation_id] = kept
            self._outbox.add(events)
            self._counts.update(tally)
            return entry

    def load(self, deliberation_id: str) -> Record:
        with self._lock:
            return Record(dict(self._opened(deliberation_id).entries))

    def fence(self, deliberation_id: str) -> int:
        with self._lock:
            kept = self._opened(deliberation_id)
            kept.fence += 1
            kept.touched_at = self.clock.now()
            return kept.fence

    def counts(self) -> Mapping[str, int]:
        """Return the counters: this store is its own Tally."""
        with self._lock:
            return dict(self._counts)

    def touch(self, deliberation_id: str, at: float) -> None:
        """Move an open deliberation in the index, as its `touch` says."""
        with self._lock:
            kept = self._kept.get(deliberation_id)
            if kept is not None and kept.closed_at == inf:
                kept.touched_at = at

    def kept(self) -> dict[str, Kept]:
        """Return what is within retention, by id."""
        with self._lock:
            horizon = self.clock.now() - self.retention_s
            if horizon > -inf:
                self._kept = {key: kept for key, kept in self._kept.items() if kept.closed_at > horizon}
            return dict(self._kept)

    def _opened(self, deliberation_id: str) -> Kept:
        kept = self.kept().get(deliberation_id)
        if kept is None:
            raise LookupError(f"no deliberation {deliberation_id}: never opened, or past retention")
        return kept

    def _unwritten(self, deliberation_id: str, entry: Entry) -> Kept:
        if not isinstance(entry, Opened):
            return self._opened(deliberation_id)
        now = self.clock.now()
        return Kept(plan_id=entry.deliberation.plan.plan_id, opened_at=now, touched_at=now)


def _refuse_late(deliberation_id: str, kept: Kept, entry: Entry, fence: int) -> None:
    if kept.closed_at < inf:
        raise DeliberationClosed(f"{deliberation_id} has ended; {entry.key} came too late")
    if fence not in (0, kept.fence):
        raise ConclusionTakenOver(
            f"{deliberation_id} was taken over: fence {fence} is void, {kept.fence} is the newest"
        )
