"""People's verdicts in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis import Redis

from domain.errors import StoreUnreconciled, VerdictsChanged
from domain.event import Event
from domain.ports.clock import Clock
from domain.verdict import Verdict
from workers.adapters.redis.deliberation_store import WHOLE
from workers.adapters.redis.encoding import decode, encode, text, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import Script, event_arguments, expiry_ms, score


class RedisVerdictStore:
    """VerdictStore over one hash a deliberation, which expires with it, a sorted set of the decisions that await
    a verdict, and one hash of counters.

    All keys but the outbox's begin alike: a bridge, which takes verdicts in, may write them and no decision.
    """

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._retention_s = retention_s
        self._retention_ms = expiry_ms(retention_s)
        self._keys = Keys(prefix)
        functions = ("check_kinds", "add_events", "server_run", "sum_counters")
        self._record = Script(client, "record_verdict", functions=functions)

    def record(
        self,
        verdict: Verdict,
        *,
        after: int,
        events: Sequence[Event] = (),
        counters: Mapping[str, int] | None = None,
        compared: bool = False,
    ) -> Verdict:
        """Write the verdict as the port says; raises ResponseError as `RedisDeliberationStore.record` does."""
        keys, identity, now = self._keys, verdict.deliberation_id, self._clock.now()
        answer = self._record(
            [
                keys.verdicts(identity),
                keys.verdicts_awaited,
                keys.verdict_counters,
                keys.outbox_order,
                keys.outbox_events,
                keys.outbox_put_ids,
            ],
            id=verdict.verdict_id,
            verdict=encode(verdict),
            deliberation_id=identity,
            deliberation=keys.deliberation(identity),
            continuity=keys.continuity,
            after=after,
            settles=verdict.counts is not None,
            compared=compared,
            events=event_arguments(events),
            counters=dict(counters or {}),
            now=score(now),
            horizon=score(now - self._retention_s),
            retention_ms=self._retention_ms,
        )
        match texts(answer):
            case ("written",):
                return verdict
            case ("found", found):
                return _read(found, identity)
            case ("changed",):
                raise VerdictsChanged(f"{identity} has other verdicts than {after}")
            case ("gap",):
                raise StoreUnreconciled(f"{identity} can't be judged before {WHOLE}")
            case _:
                raise LookupError(f"no ended deliberation {identity}: still open, or past retention")

    def of(self, deliberation_id: str) -> tuple[Verdict, ...]:
        found = self._client.hgetall(self._keys.verdicts(deliberation_id))
        read = [_read(raw, deliberation_id) for raw in found.values()]
        return tuple(sorted(read, key=lambda verdict: (verdict.at, verdict.verdict_id)))

    def overdue(self, now: float, limit: int) -> tuple[str, ...]:
        found = self._client.zrange(
            self._keys.verdicts_awaited, "-inf", f"({now!r}", byscore=True, offset=0, num=max(limit, 0)
        )
        return texts(found)

    def count_awaiting(self) -> int:
        return int(self._client.zcard(self._keys.verdicts_awaited))

    def forget(self, deliberation_id: str) -> None:
        self._client.zrem(self._keys.verdicts_awaited, deliberation_id)

    def counts(self) -> Mapping[str, int]:
        found = self._client.hgetall(self._keys.verdict_counters)
        return {text(name): int(count) for name, count in found.items()}


def _read(raw: str | bytes, deliberation_id: str) -> Verdict:
    return decode(Verdict, raw, where=f"a verdict on {deliberation_id}")
