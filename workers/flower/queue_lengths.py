"""How Flower counts what waits in queues behind Sentinels: in the database that the URL names."""

from __future__ import annotations

from typing import Any

from flower.utils import broker  # type: ignore[import-untyped]


class SentinelQueues(broker.RedisSentinel):  # type: ignore[misc]  # flower has no types
    """Flower 2.2 asks the master's database 0, whatever the URL says; without Sentinels it asks the right one."""

    def _get_redis_client(self, *args: Any, **kwargs: Any) -> Any:
        # No upstream issue known.
        client = super()._get_redis_client(*args, **kwargs)
        client.connection_pool.connection_kwargs["db"] = self.vhost
        return client


def install() -> None:
    """Have Flower count so in this process."""
    broker.RedisSentinel = SentinelQueues
