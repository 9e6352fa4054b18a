"""Accepted plans in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from domain.plan import PlanRequest
from domain.ports.clock import Clock
from workers.adapters.redis.encoding import Stored, decode, encode, text, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import Script, expiry_ms, score


class RedisPlanStore:
    """PlanStore over one key a request, which expires by itself, and a sorted set of the undispatched ones.

    `retention_s` must outlast every redelivery of an approval and the longest outage. Durable means what the
    server's append-only file means: with `appendfsync everysec`, a crash of the server process loses nothing that
    was answered, a crash of its machine at most the last second.
    """

    def __init__(self, client: Redis, *, clock: Clock, retention_s: float, prefix: str = PREFIX) -> None:
        self._client = client
        self._clock = clock
        self._keys = Keys(prefix)
        self._retention_ms = expiry_ms(retention_s)
        self._save = Script(client, "save_plan", functions=("check_kinds",))
        self._take_overdue = Script(client, "take_overdue")

    def save(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        """Keep the requests in one round trip, each in one atomic step of its own."""
        if len(requests) == 1:  # a pipeline asks the server first whether it knows the script
            answers = [self._save_one(requests[0])]
        else:
            with self._client.pipeline(transaction=False) as pipeline:
                for request in requests:
                    self._save_one(request, pipeline)
                answers = pipeline.execute()
        return tuple(
            request if found is None else _read(found, request.request_id)
            for request, found in zip(requests, answers, strict=True)
        )

    def _save_one(self, request: PlanRequest, pipeline: Redis | None = None) -> Stored | None:
        identity, plan_id = request.request_id, request.plan.plan_id
        found: Stored | None = self._save(
            [self._keys.request(identity), self._keys.latest_request(plan_id), self._keys.undispatched],
            pipeline=pipeline,
            id=identity,
            request=encode(request),
            now=score(self._clock.now()),
            retention_ms=self._retention_ms,
        )
        return found

    def load(self, request_id: str) -> PlanRequest:
        raw = self._client.get(self._keys.request(request_id))
        if raw is None:
            raise LookupError(f"no plan request {request_id}: never saved, or past retention")
        return _read(raw, request_id)

    def latest(self, plan_id: str) -> PlanRequest:
        request_id = self._client.get(self._keys.latest_request(plan_id))
        if request_id is None:
            raise LookupError(f"no request for plan {plan_id}: never saved, or past retention")
        return self.load(text(request_id))

    def take_overdue(self, before: float, limit: int) -> tuple[str, ...]:
        now = score(self._clock.now())
        return texts(self._take_overdue([self._keys.undispatched], before=score(before), now=now, limit=limit))

    def mark_dispatched(self, request_id: str) -> None:
        self._client.zrem(self._keys.undispatched, request_id)

    def count_undispatched(self) -> int:
        return int(self._client.zcard(self._keys.undispatched))


def _read(raw: Stored, request_id: str) -> PlanRequest:
    return decode(PlanRequest, raw, where=f"plan request {request_id}")
