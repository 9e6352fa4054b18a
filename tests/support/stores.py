"""The stores together, in memory or in a real Valkey, sharing what they share in production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from redis import Redis

from domain.ports.access_token_store import AccessTokenStore
from domain.ports.clock import Clock
from domain.ports.continuity import Continuity
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.outbox import Outbox
from domain.ports.parking import Parking
from domain.ports.plan_places import PlanPlaces
from domain.ports.plan_store import PlanStore
from domain.ports.verdict_store import VerdictStore
from tests.support.in_memory.access_token_store import MemoryAccessTokenStore
from tests.support.in_memory.continuity import MemoryContinuity
from tests.support.in_memory.council_registry import MemoryCouncilRegistry
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.outbox import MemoryOutbox
from tests.support.in_memory.parking import MemoryParking
from tests.support.in_memory.plan_places import MemoryPlanPlaces
from tests.support.in_memory.plan_store import MemoryPlanStore
from tests.support.in_memory.verdict_store import MemoryVerdictStore
from workers.adapters.redis.access_token_store import RedisAccessTokenStore
from workers.adapters.redis.continuity import RedisContinuity
from workers.adapters.redis.council_registry import RedisCouncilRegistry
from workers.adapters.redis.deliberation_store import RedisDeliberationStore
from workers.adapters.redis.outbox import RedisOutbox
from workers.adapters.redis.parking import RedisParking
from workers.adapters.redis.plan_places import RedisPlanPlaces
from workers.adapters.redis.plan_store import RedisPlanStore
from workers.adapters.redis.verdict_store import RedisVerdictStore

LONG = 3600.0
"""Retention in seconds that no test outlives."""


@dataclass(frozen=True)
class Stores:
    """The stores of one technology, empty and sharing what they share in production."""

    councils: CouncilRegistry
    plans: PlanStore
    places: PlanPlaces
    deliberations: DeliberationStore
    verdicts: VerdictStore
    outbox: Outbox
    parking: Parking
    continuity: Continuity
    access_tokens: AccessTokenStore


class MakeStores(Protocol):
    def __call__(self, clock: Clock, retention_s: float = LONG, *, places: int = 0) -> Stores: ...


def memory_stores(clock: Clock, retention_s: float = LONG, *, places: int = 0) -> Stores:
    outbox = MemoryOutbox(clock=clock, retention_s=retention_s)
    deliberations = MemoryDeliberationStore(clock=clock, outbox=outbox, retention_s=retention_s)
    plans = MemoryPlanStore(clock=clock, retention_s=retention_s)
    return Stores(
        councils=MemoryCouncilRegistry(),
        plans=plans,
        places=MemoryPlanPlaces(limit=places, clock=clock, plans=plans, deliberations=deliberations),
        deliberations=deliberations,
        verdicts=MemoryVerdictStore(deliberations=deliberations, outbox=outbox),
        outbox=outbox,
        parking=MemoryParking(),
        continuity=MemoryContinuity(),
        access_tokens=MemoryAccessTokenStore(),
    )


def redis_stores(
    client: Redis,
    clock: Clock,
    retention_s: float = LONG,
    prefix: str | None = None,
    *,
    whole: bool = True,
    places: int = 0,
) -> Stores:
    """Return the stores under a prefix of their own, so that a test finds nothing of its neighbours.

    They count as whole, unless that is left to another who notes it.
    """
    prefix = prefix or f"test-{uuid4().hex[:12]}:"
    continuity = RedisContinuity(client, clock=clock, retention_s=retention_s, prefix=prefix)
    if whole:
        close_gap_unseen(continuity)
    return Stores(
        councils=RedisCouncilRegistry(client, prefix=prefix),
        plans=RedisPlanStore(client, clock=clock, retention_s=retention_s, prefix=prefix),
        places=RedisPlanPlaces(client, limit=places, clock=clock, retention_s=retention_s, prefix=prefix),
        deliberations=RedisDeliberationStore(client, clock=clock, retention_s=retention_s, prefix=prefix),
        verdicts=RedisVerdictStore(client, clock=clock, retention_s=retention_s, prefix=prefix),
        outbox=RedisOutbox(client, clock=clock, retention_s=retention_s, prefix=prefix),
        parking=RedisParking(client, prefix=f"{prefix}broker:"),
        continuity=continuity,
        access_tokens=RedisAccessTokenStore(client, prefix=prefix),
    )


def close_gap_unseen(continuity: Continuity) -> None:
    """Have the store count as whole, for a test in which no control worker compares it with streams."""
    gap = continuity.gap()
    assert gap is None or continuity.close(gap)
