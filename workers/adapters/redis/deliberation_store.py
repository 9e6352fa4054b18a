"""The durable truth about deliberations in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis import Redis

from domain.entry import Closed, Entry, Opened
from domain.errors import ConclusionTakenOver, DeliberationClosed
from domain.event import Event
from domain.ports.clock import Clock
from domain.ports.deliberation_store import NOTHING
from domain.record import Record
from workers.adapters.redis.encoding import decode_entry, encode, text, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import event_arguments, script


class RedisDeliberationStore:
    """DeliberationStore over one hash a deliberation; every write is one Lua script.

    While it is open a deliberation never expires, however long an outage lasts; closing it starts `retention_s`.
    A call repeated because its answer got lost does no harm: the second finds what the first wrote. Times come
    from the caller's clock, not from the server's, because what asks the index (a lease, a deadline) reckons by
    that clock too; a host whose clock is off misplaces a deliberation in the index until its next write.
    A Sentinel fail-over can lose answered writes that were not yet replicated.
    """

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._retention_s = retention_s
        self._keys = Keys(prefix)
        self._record = script(client, "record")
        self._fence = script(client, "fence")

    def record(
        self,
        deliberation_id: str,
        entry: Entry,
        *,
        events: Sequence[Event] = (),
        tally: Mapping[str, int] = NOTHING,
        fence: int = 0,
    ) -> Entry:
        now = self._clock.now()
        answer = self._record(
            self._touched(deliberation_id, entry),
            [
                *(deliberation_id, entry.key, encode(entry), _effect(entry)),
                *(fence, now, now - self._retention_s, round(self._retention_s * 1000)),
                *(len(tally), *(part for count in tally.items() for part in count)),
                *event_arguments(events),
            ],
        )
        return _standing(deliberation_id, entry, fence, texts(answer))

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

    def fence(self, deliberation_id: str) -> int:
        """Take the concluding step over; to the index that is a write. Raises LookupError as `load` does."""
        keys = [self._keys.deliberation(deliberation_id), self._keys.open]
        newest = int(self._fence(keys, [deliberation_id, self._clock.now()]))
        if newest == 0:
            raise _never_opened(deliberation_id)
        return newest

    def _touched(self, deliberation_id: str, entry: Entry) -> list[str]:
        keys = self._keys
        touched = [keys.deliberation(deliberation_id), keys.open, keys.newest]
        touched += [keys.outbox_order, keys.outbox_events, keys.outbox_known, keys.tally]
        return [*touched, keys.of_plan(entry.deliberation.plan.plan_id)] if isinstance(entry, Opened) else touched


def _effect(entry: Entry) -> str:
    if isinstance(entry, Opened):
        return "open"
    return "close" if isinstance(entry, Closed) else "add"


def _standing(deliberation_id: str, entry: Entry, fence: int, answer: tuple[str, ...]) -> Entry:
    """Return the entry that `record.lua` says stands, or raise what it says instead."""
    match answer:
        case ("written",):
            return entry
        case ("stands", standing):
            return decode_entry(standing, where=f"entry {entry.key} of {deliberation_id}")
        case ("closed",):
            raise DeliberationClosed(f"{deliberation_id} has ended; {entry.key} came too late")
        case ("void", newest):
            raise ConclusionTakenOver(
                f"{deliberation_id} was taken over: fence {fence} is void, {newest} is the newest"
            )
        case _:
            raise _never_opened(deliberation_id)


def _never_opened(deliberation_id: str) -> LookupError:
    return LookupError(f"no deliberation {deliberation_id}: never opened, or past retention")
