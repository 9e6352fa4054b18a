"""People's verdicts in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from threading import RLock

from domain.errors import VerdictsChanged
from domain.event import Event
from domain.verdict import Verdict
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.outbox import MemoryOutbox


class MemoryVerdictStore:
    """VerdictStore over a dict, beside the deliberations that are judged."""

    def __init__(self, *, deliberations: MemoryDeliberationStore, outbox: MemoryOutbox) -> None:
        self._deliberations = deliberations
        self._outbox = outbox
        self._verdicts: dict[str, dict[str, Verdict]] = {}
        self._counts: Counter[str] = Counter()
        self._lock = RLock()

    def record(
        self,
        verdict: Verdict,
        *,
        after: int,
        events: Sequence[Event] = (),
        counters: Mapping[str, int] | None = None,
        compared: bool = False,
    ) -> Verdict:
        with self._lock:
            identity = verdict.deliberation_id
            known = self._known(identity)
            if verdict.verdict_id in known:
                return known[verdict.verdict_id]
            if not self._ended(identity):
                raise LookupError(f"no ended deliberation {identity}: still open, or past retention")
            if len(known) != after:
                raise VerdictsChanged(f"{identity} has other verdicts than {after}")
            self._verdicts[identity] = {**known, verdict.verdict_id: verdict}
            if verdict.counts is not None:
                self.forget(identity)
            self._outbox.add(events)
            for name, count in (counters or {}).items():
                self._counts[name] += count
            return verdict

    def of(self, deliberation_id: str) -> tuple[Verdict, ...]:
        with self._lock:
            read = self._known(deliberation_id).values()
            return tuple(sorted(read, key=lambda verdict: (verdict.at, verdict.verdict_id)))

    def overdue(self, now: float, limit: int) -> tuple[str, ...]:
        due = sorted((due_at, key) for key, due_at in self._deliberations.awaited.items() if due_at < now)
        return tuple(key for _, key in due[: max(limit, 0)])

    def count_awaiting(self) -> int:
        return len(self._deliberations.awaited)

    def forget(self, deliberation_id: str) -> None:
        self._deliberations.awaited.pop(deliberation_id, None)

    def counts(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._counts)

    def _known(self, deliberation_id: str) -> Mapping[str, Verdict]:
        """Return the verdicts by their ids; they are forgotten with their deliberation."""
        try:
            self._deliberations.load(deliberation_id)
        except LookupError:
            self._verdicts.pop(deliberation_id, None)
        return self._verdicts.get(deliberation_id, {})

    def _ended(self, deliberation_id: str) -> bool:
        try:
            return self._deliberations.load(deliberation_id).closed is not None
        except LookupError:
            return False
