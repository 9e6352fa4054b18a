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
from domain.record import Record
from tests.support.in_memory.outbox import MemoryOutbox


@dataclass
class Kept:
    """One deliberation and what the index needs to know of it; times in epoch seconds."""

    plan_id: str
    opened_at: float
    touched_at: float
    closed_at: float = inf
    kept_until: float = inf
    token: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)


class MemoryDeliberationStore:
    """DeliberationStore over a dict; its index is computed from that at every call, so the two can't differ."""

    def __init__(self, *, clock: Clock, outbox: MemoryOutbox, retention_s: float = inf) -> None:
        self._clock = clock
        self._retention_s = retention_s
        self._outbox = outbox
        self._kept: dict[str, Kept] = {}
        self._last_sweep = self._sweeps_since = -inf
        self._counts: Counter[str] = Counter()
        self.awaited: dict[str, float] = {}
        """Deliberation whose decision awaits a verdict → when that is due; MemoryVerdictStore reads it."""
        self._lock = RLock()

    def record(
        self,
        deliberation_id: str,
        entry: Entry,
        *,
        events: Sequence[Event] = (),
        counters: Mapping[str, int] | None = None,
        token: int = 0,
    ) -> Entry:
        with self._lock:
            kept = self._retained().get(deliberation_id) or self._unwritten(deliberation_id, entry)
            if entry.key in kept.entries:
                return kept.entries[entry.key]
            _refuse_late(deliberation_id, kept, entry, token)
            now = self._clock.now()
            kept.entries[entry.key] = entry
            kept.touched_at = now
            if isinstance(entry, Closed):
                due_at = _verdict_due_at(entry)
                kept.closed_at, kept.kept_until = now, max(now, due_at or now) + self._retention_s
                if due_at is not None:
                    self.awaited[deliberation_id] = due_at
            self._kept[deliberation_id] = kept
            self._outbox.add(events)
            self._counts.update(counters or {})
            return entry

    def record_all(self, deliberation_id: str, entries: Sequence[Entry], *, token: int = 0) -> tuple[Entry, ...]:
        with self._lock:
            kept = self._opened(deliberation_id)
            for entry in entries:
                if entry.key not in kept.entries:
                    _refuse_late(deliberation_id, kept, entry, token)
            return tuple(self.record(deliberation_id, entry, token=token) for entry in entries)

    def load(self, deliberation_id: str) -> Record:
        with self._lock:
            return Record(dict(self._opened(deliberation_id).entries))

    def take_over(self, deliberation_id: str) -> int:
        with self._lock:
            kept = self._opened(deliberation_id)
            kept.token += 1
            kept.touched_at = self._clock.now()
            return kept.token

    def open_untouched_since(self, moment: float, limit: int) -> tuple[str, ...]:
        stale = sorted((kept.touched_at, key) for key, kept in self._open().items() if kept.touched_at < moment)
        return tuple(key for _, key in stale[: max(limit, 0)])

    def begin_sweep(self, at: float, *, gap_s: float) -> float:
        with self._lock:
            if at - self._last_sweep > gap_s:
                self._sweeps_since = at
            self._last_sweep = at
            return self._sweeps_since

    def touch(self, deliberation_id: str, at: float) -> None:
        with self._lock:
            kept = self._kept.get(deliberation_id)
            if kept is not None and kept.closed_at == inf:
                kept.touched_at = at

    def count_open(self) -> int:
        return len(self._open())

    def has_open(self, plan_id: str) -> bool:
        """Whether a deliberation on the plan is open; for the places of plans, which share this store."""
        return any(kept.plan_id == plan_id for kept in self._open().values())

    def newest(self, limit: int) -> tuple[str, ...]:
        return self._newest_first()[: max(limit, 0)]

    def of_plan(self, plan_id: str) -> tuple[str, ...]:
        return self._newest_first(plan_id)

    def counts(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._counts)

    def _retained(self) -> dict[str, Kept]:
        """Forget what is past retention and return the rest, by id."""
        with self._lock:
            now = self._clock.now()
            if self._retention_s < inf:
                self._kept = {key: kept for key, kept in self._kept.items() if kept.kept_until > now}
            return dict(self._kept)

    def _opened(self, deliberation_id: str) -> Kept:
        kept = self._retained().get(deliberation_id)
        if kept is None:
            raise LookupError(f"no deliberation {deliberation_id}: never opened, or past retention")
        return kept

    def _unwritten(self, deliberation_id: str, entry: Entry) -> Kept:
        if not isinstance(entry, Opened):
            return self._opened(deliberation_id)
        now = self._clock.now()
        return Kept(plan_id=entry.deliberation.plan.plan_id, opened_at=now, touched_at=now)

    def _open(self) -> dict[str, Kept]:
        return {key: kept for key, kept in self._retained().items() if kept.closed_at == inf}

    def _newest_first(self, plan_id: str | None = None) -> tuple[str, ...]:
        horizon = self._clock.now() - self._retention_s
        found = [
            (kept.opened_at, key)
            for key, kept in self._retained().items()
            if kept.opened_at > horizon and plan_id in (None, kept.plan_id)
        ]
        return tuple(key for _, key in sorted(found, reverse=True))


def _verdict_due_at(closed: Closed) -> float | None:
    decision = closed.decision
    return decision.verdict_due_at if decision and decision.awaiting_verdict else None


def _refuse_late(deliberation_id: str, kept: Kept, entry: Entry, token: int) -> None:
    if kept.closed_at < inf:
        raise DeliberationClosed(f"{deliberation_id} has ended; {entry.key} came too late")
    if token not in (0, kept.token):
        raise ConclusionTakenOver(
            f"{deliberation_id} was taken over: token {token} is void, {kept.token} is the newest"
        )
