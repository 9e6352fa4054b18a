"""The durable truth about deliberations in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis import Redis

from domain.entry import Closed, Entry, Opened
from domain.errors import ConclusionTakenOver, DeliberationClosed, StoreUnreconciled
from domain.event import Event
from domain.ports.clock import Clock
from domain.record import Record
from workers.adapters.redis.encoding import decode_entry, encode, text, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import Script, event_arguments, expiry_ms, score

WHOLE = "the store, new or restarted, is compared with the streams: a control worker does, or `conclave reconcile`"


class RedisDeliberationStore:
    """DeliberationStore over one hash a deliberation, sorted sets as its index (open ones by last touch, all and a
    plan's by opening) and one hash of counters; every write is one Lua script.

    While it is open a deliberation never expires, however long an outage lasts; closing it starts `retention_s`.
    A call repeated because its answer got lost does no harm: the second finds what the first wrote. Times come
    from the caller's clock, not from the server's, because the caller compares them with its own; a host whose
    clock is off misplaces a deliberation in the index until its next write.
    A Sentinel fail-over can lose answered writes that were not yet replicated.
    """

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._retention_s = retention_s
        self._retention_ms = expiry_ms(retention_s)
        self._keys = Keys(prefix)
        self._record = Script(
            client, "record", functions=("check_kinds", "add_events", "server_run", "sum_counters")
        )
        self._record_answers = Script(client, "record_answers", functions=("check_kinds",))
        self._take_over = Script(client, "take_over", functions=("check_kinds",))
        self._begin_sweep = Script(client, "begin_sweep", functions=("check_kinds",))

    def record(
        self,
        deliberation_id: str,
        entry: Entry,
        *,
        events: Sequence[Event] = (),
        counters: Mapping[str, int] | None = None,
        token: int = 0,
    ) -> Entry:
        """Write the entry as the port says.

        Raises ResponseError, having written nothing, where a key holds another kind of value than this version
        writes, or a counter would not be a whole number below 2^53.
        """
        if not (events or counters or isinstance(entry, Opened | Closed)):
            return self.record_all(deliberation_id, [entry], token=token)[0]
        now = self._clock.now()
        due_at = _verdict_due_at(entry)
        answer = self._record(
            self._written_keys(deliberation_id, entry),
            id=deliberation_id,
            key=entry.key,
            entry=encode(entry),
            effect=_effect(entry),
            token=token,
            events=event_arguments(events),
            counters=dict(counters or {}),
            now=score(now),
            horizon=score(now - self._retention_s),
            retention_ms=self._retention_ms,
            # One that awaits a verdict is kept for that, too.
            kept_ms=expiry_ms(self._retention_s + max(0.0, due_at - now)) if due_at else self._retention_ms,
            verdict_due_at=score(due_at) if due_at else "",
        )
        return _entry_under_key(deliberation_id, entry, token, texts(answer))

    def record_all(self, deliberation_id: str, entries: Sequence[Entry], *, token: int = 0) -> tuple[Entry, ...]:
        """Write the entries as the port says; raises ResponseError as `record` does."""
        if not entries:
            return ()
        keys = [self._keys.deliberation(deliberation_id), self._keys.open]
        status, *rest = self._record_answers(
            keys,
            id=deliberation_id,
            entries=[{"key": entry.key, "entry": encode(entry)} for entry in entries],
            token=token,
            now=score(self._clock.now()),
        )
        if text(status) != "stand":
            raise _refusal(deliberation_id, entries[0], token, (text(status), *texts(rest)))
        return tuple(
            entry if found is None else decode_entry(found, where=f"entry {entry.key} of {deliberation_id}")
            for entry, found in zip(entries, rest, strict=True)
        )

    def load(self, deliberation_id: str) -> Record:
        """Return all entries. Raises LookupError as the port says, Unreadable naming an entry it can't read."""
        found = self._client.hgetall(self._keys.deliberation(deliberation_id))
        stored = {text(key): raw for key, raw in found.items()}
        if "opened" not in stored:
            raise _never_opened(deliberation_id)
        return Record(
            {
                key: decode_entry(raw, where=f"entry {key} of {deliberation_id}")
                for key, raw in stored.items()
                if not key.startswith("#")
            }
        )

    def take_over(self, deliberation_id: str) -> int:
        keys = [self._keys.deliberation(deliberation_id), self._keys.open]
        token = int(self._take_over(keys, id=deliberation_id, now=score(self._clock.now())))
        if token == 0:
            raise _never_opened(deliberation_id)
        return token

    def open_untouched_since(self, moment: float, limit: int) -> tuple[str, ...]:
        found = self._client.zrange(
            self._keys.open, "-inf", f"({moment!r}", byscore=True, offset=0, num=max(limit, 0)
        )
        return texts(found)

    def begin_sweep(self, at: float, *, gap_s: float) -> float:
        return float(self._begin_sweep([self._keys.sweeps], at=at, gap_s=gap_s))

    def touch(self, deliberation_id: str, at: float) -> None:
        self._client.zadd(self._keys.open, {deliberation_id: at}, xx=True)

    def count_open(self) -> int:
        return int(self._client.zcard(self._keys.open))

    def newest(self, limit: int) -> tuple[str, ...]:
        return self._newest_first(self._keys.newest, max(limit, 0))

    def of_plan(self, plan_id: str) -> tuple[str, ...]:
        return self._newest_first(self._keys.of_plan(plan_id), -1)

    def counts(self) -> Mapping[str, int]:
        found = self._client.hgetall(self._keys.counters)
        return {text(name): int(count) for name, count in found.items()}

    def _newest_first(self, index: str, limit: int) -> tuple[str, ...]:
        horizon = self._clock.now() - self._retention_s
        found = self._client.zrange(index, "+inf", f"({horizon!r}", desc=True, byscore=True, offset=0, num=limit)
        return texts(found)

    def _written_keys(self, deliberation_id: str, entry: Entry) -> list[str]:
        keys = self._keys
        written = [keys.deliberation(deliberation_id), keys.open, keys.newest]
        written += [keys.outbox_order, keys.outbox_events, keys.outbox_put_ids]
        written += [keys.counters, keys.continuity, keys.verdicts_awaited]
        return [*written, keys.of_plan(entry.deliberation.plan.plan_id)] if isinstance(entry, Opened) else written


def _effect(entry: Entry) -> str:
    if isinstance(entry, Opened):
        return "open"
    return "close" if isinstance(entry, Closed) else "add"


def _verdict_due_at(entry: Entry) -> float | None:
    decision = entry.decision if isinstance(entry, Closed) else None
    return decision.verdict_due_at if decision and decision.awaiting_verdict else None


def _entry_under_key(deliberation_id: str, entry: Entry, token: int, answer: tuple[str, ...]) -> Entry:
    """Return the entry that is under the key according to `record.lua`, or raise what it says instead."""
    match answer:
        case ("written",):
            return entry
        case ("found", found):
            return decode_entry(found, where=f"entry {entry.key} of {deliberation_id}")
    raise _refusal(deliberation_id, entry, token, answer)


def _refusal(deliberation_id: str, entry: Entry, token: int, answer: tuple[str, ...]) -> Exception:
    match answer:
        case ("closed",):
            return DeliberationClosed(f"{deliberation_id} has ended; {entry.key} came too late")
        case ("void", newest):
            return ConclusionTakenOver(
                f"{deliberation_id} was taken over: token {token} is void, {newest} is the newest"
            )
        case ("gap",):
            return StoreUnreconciled(f"{deliberation_id} can't end before {WHOLE}")
        case _:
            return _never_opened(deliberation_id)


def _never_opened(deliberation_id: str) -> LookupError:
    return LookupError(f"no deliberation {deliberation_id}: never opened, or past retention")
