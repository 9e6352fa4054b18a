"""The ports over the durable store: all that a command needs which only looks at records, or changes a council."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from redis import Redis

from domain.ports.clock import Clock
from workers.adapters.redis.access_token_store import RedisAccessTokenStore
from workers.adapters.redis.clock import RedisClock
from workers.adapters.redis.connection import connect
from workers.adapters.redis.continuity import RedisContinuity
from workers.adapters.redis.council_registry import RedisCouncilRegistry
from workers.adapters.redis.deliberation_store import RedisDeliberationStore
from workers.adapters.redis.engine_directory import RedisEngineDirectory
from workers.adapters.redis.outbox import RedisOutbox
from workers.adapters.redis.parking import RedisParking
from workers.adapters.redis.plan_places import RedisPlanPlaces
from workers.adapters.redis.plan_store import RedisPlanStore
from workers.adapters.redis.queue_lengths import RedisQueueLengths
from workers.adapters.redis.verdict_store import RedisVerdictStore
from workers.settings import Settings

CLOCK_PATIENCE_S = 0.5
"""How long a look at the store's clock tries to reach it."""


class StorePorts:
    """The store's ports for one process, each made at its first use; all share one client.

    `patience_s` bounds how long a call to the store rides out an outage. `clock` is the process's, if it has one.
    """

    def __init__(self, settings: Settings, *, patience_s: float | None = None, clock: Clock | None = None) -> None:
        self.settings = settings
        self._clock = clock
        self._patience_s = patience_s
        self._prefix = settings.key_prefix
        self._retention_s = settings.retention_s

    @cached_property
    def store(self) -> Redis:
        """The client of the durable store; connects at its first command."""
        return store_client(self.settings, patience_s=self._patience_s)

    @cached_property
    def clock(self) -> Clock:
        return self._clock or store_clock(self.settings)

    @cached_property
    def councils(self) -> RedisCouncilRegistry:
        return RedisCouncilRegistry(self.store, prefix=self._prefix)

    @cached_property
    def access_tokens(self) -> RedisAccessTokenStore:
        return RedisAccessTokenStore(self.store, prefix=self._prefix)

    @cached_property
    def plans(self) -> RedisPlanStore:
        return RedisPlanStore(self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix)

    @cached_property
    def places(self) -> RedisPlanPlaces:
        return RedisPlanPlaces(
            self.store,
            limit=self.settings.open_plans_per_publisher,
            clock=self.clock,
            retention_s=self._retention_s,
            prefix=self._prefix,
        )

    @cached_property
    def deliberations(self) -> RedisDeliberationStore:
        return RedisDeliberationStore(
            self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix
        )

    @cached_property
    def verdicts(self) -> RedisVerdictStore:
        return RedisVerdictStore(self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix)

    @cached_property
    def continuity(self) -> RedisContinuity:
        return RedisContinuity(self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix)

    @cached_property
    def outbox(self) -> RedisOutbox:
        return RedisOutbox(self.store, clock=self.clock, retention_s=self._retention_s, prefix=self._prefix)

    @cached_property
    def parking(self) -> RedisParking:
        return RedisParking(self.store, prefix=self.settings.broker_prefix)

    @cached_property
    def queue_lengths(self) -> RedisQueueLengths:
        return RedisQueueLengths(self.store, prefix=self.settings.broker_prefix)

    @cached_property
    def engines(self) -> RedisEngineDirectory:
        return RedisEngineDirectory(self.store, prefix=self._prefix)


def store_clock(settings: Settings, *, observe: Callable[[float], None] | None = None) -> RedisClock:
    """Return the store's clock, over a client of its own, since telling the time must not ride out an outage."""
    return RedisClock(store_client(settings, patience_s=CLOCK_PATIENCE_S), observe=observe)


def store_client(settings: Settings, *, patience_s: float | None = None) -> Redis:
    """Return a client of the durable store; connects at its first command."""
    url, master = settings.redis_url.get_secret_value(), settings.redis_sentinel_master
    return (
        connect(url, master=master) if patience_s is None else connect(url, master=master, patience_s=patience_s)
    )
