"""Places of open plans in Redis or Valkey."""

from __future__ import annotations

from contextlib import suppress

from redis import Redis

from domain.places import Place, order_of
from domain.plan import PlanRequest
from domain.ports.clock import Clock
from workers.adapters.redis.encoding import Unreadable, decode, text, texts
from workers.adapters.redis.keys import PREFIX, Keys
from workers.adapters.redis.scripts import Script, expiry_ms, score


class RedisPlanPlaces:
    """PlanPlaces over two sorted sets a publisher; `limit` is the number of places each has, 0 for no bound.

    Without a bound nothing is asked of the store, but for plans that wait since there was one.
    """

    def __init__(
        self, client: Redis, *, limit: int, clock: Clock, retention_s: float, prefix: str = PREFIX
    ) -> None:
        self._client = client
        self._limit = limit
        self._clock = clock
        self._keys = Keys(prefix)
        self._retention_ms = expiry_ms(retention_s)
        self._take = Script(client, "take_place", functions=("check_kinds",))
        self._free = Script(client, "free_place", functions=("check_kinds",))
        self._give = Script(client, "give_places", functions=("check_kinds",))

    @property
    def bounded(self) -> bool:
        return self._limit > 0

    def take(self, request: PlanRequest) -> Place:
        if not self.bounded:
            return Place.TAKEN
        publisher, now = request.plan.approved_by, self._clock.now()
        answer = self._take(
            [*self._of(publisher), self._keys.publishers, self._keys.request(request.request_id)],
            id=request.request_id,
            publisher=publisher,
            limit=self._limit,
            order=score(order_of(request.plan.urgency, since=now)),
            now=score(now),
        )
        return Place(text(answer))

    def settle(self, publisher: str) -> tuple[str, ...]:
        undispatched, places, waiting = self._of(publisher)
        for request_id in texts(self._client.zrange(places, 0, -1)):
            of_plan = self._of_plan(request_id)
            self._free([undispatched, places, self._keys.open, of_plan], id=request_id)
        given = texts(
            self._give(
                [undispatched, places, waiting, self._keys.publishers],
                publisher=publisher,
                limit=self._limit,
                now=score(self._clock.now()),
            )
        )
        for request_id in given:
            self._client.pexpire(self._keys.request(request_id), self._retention_ms)
        return given

    def publishers(self) -> tuple[str, ...]:
        return texts(sorted(self._client.smembers(self._keys.publishers)))

    def count_waiting(self) -> int:
        return sum(int(self._client.zcard(self._keys.waiting(publisher))) for publisher in self.publishers())

    def _of(self, publisher: str) -> tuple[str, str, str]:
        return self._keys.undispatched, self._keys.places(publisher), self._keys.waiting(publisher)

    def _of_plan(self, request_id: str) -> str:
        """Return the index of the request's plan; where the request is lost or unreadable, one that is empty."""
        raw, plan_id = self._client.get(self._keys.request(request_id)), ""
        with suppress(Unreadable):
            plan_id = "" if raw is None else decode(PlanRequest, raw, where=request_id).plan.plan_id
        return self._keys.of_plan(plan_id)
