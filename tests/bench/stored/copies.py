"""Fills a store with copies of one real deliberation, key by key, since deciding 100,000 would take days."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redis import Redis

from domain.deliberation import Deliberation
from workers.adapters.redis.keys import Keys

AT_ONCE = 500


@dataclass(frozen=True)
class Original:
    """A deliberation as the server dumps it, with the keys of its plan."""

    deliberation_id: str
    plan_id: str
    request_id: str
    dumps: tuple[bytes, ...]
    """Of the deliberation, its plan's index, the request, and the plan's latest request."""

    @classmethod
    def of(cls, client: Redis, deliberation: Deliberation) -> Original:
        identity, plan_id, request_id = (
            deliberation.deliberation_id,
            deliberation.plan.plan_id,
            deliberation.request_id,
        )
        keys = _keys(identity, plan_id, request_id)
        return cls(identity, plan_id, request_id, tuple(client.dump(key) or b"" for key in keys))

    def copy_to(self, client: Redis, numbers: Sequence[int], *, opened_from: float, retention_ms: int) -> None:
        """Write a copy for every number, each of a plan of its own, opened a millisecond after the one before."""
        with client.pipeline(transaction=False) as pipe:
            for number in numbers:
                identity = copy_id(number)
                keys = _keys(identity, f"{self.plan_id}-{number}", f"{self.request_id}{number}")
                for key, dump in zip(keys, self.dumps, strict=True):
                    pipe.restore(key, retention_ms, dump)
                opened_at = opened_from + number / 1000
                pipe.zadd(Keys().newest, {identity: opened_at})
                for event in range(3):
                    pipe.zadd(Keys().outbox_put_ids, {f"e-{number:020d}{event:04d}": opened_at})
            pipe.execute()

    def entry_bytes(self, client: Redis) -> tuple[int, int]:
        """Return how long the entries are as they are stored, and deflated one by one."""
        entries = client.hvals(Keys().deliberation(self.deliberation_id))
        raws = [entry.encode() if isinstance(entry, str) else entry for entry in entries]
        return sum(len(raw) for raw in raws), sum(len(zlib.compress(raw)) for raw in raws)


def copy_id(number: int) -> str:
    """Return the id of a copy."""
    return f"d-{number:024x}"


def batches(start: int, end: int) -> Iterator[range]:
    """Cut a range of numbers into what goes to the server at once."""
    return (range(first, min(first + AT_ONCE, end)) for first in range(start, end, AT_ONCE))


def _keys(deliberation_id: str, plan_id: str, request_id: str) -> tuple[str, str, str, str]:
    keys = Keys()
    return (
        keys.deliberation(deliberation_id),
        keys.of_plan(plan_id),
        keys.request(request_id),
        keys.latest_request(plan_id),
    )
