"""One channel of a real server with keys of its own, where a test carries out single operations."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import kombu
import redis

from tests.acceptance.broker.fleet import WITHIN
from tests.support.servers import ValkeyServer
from workers.broker.transport import Transport
from workers.processes.readiness import wait_until

PREFIX = "conclave:broker:"
"""As in the product: in front of every key that the transport uses."""


WORKER_ID = "a1"
NONSENSE = (b"\xff", b"[]", b"{}", b'{"properties": {"delivery_tag": 7}}', b"[" * 5000)


class Desk:
    """One channel, one queue and the keys around them, used by no other test."""

    def __init__(self, server: ValkeyServer, **options: Any) -> None:
        self.name = uuid.uuid4().hex
        self.url = server.url
        keys = {f"unacked{part}_key": f"{self.name}.unacked{part}" for part in ("", "_index", "_mutex")}
        prefix = {"global_keyprefix": PREFIX}
        self._prefix = prefix
        defaults = {"visibility_timeout": 0.0, "unacked_mutex_expire": 10, **keys, **prefix}
        self.connection = kombu.Connection(
            server.url, transport=Transport, transport_options={**defaults, **options}
        )
        self.server = redis.Redis.from_url(server.url)
        """Past the transport: keys are named in full."""
        self.queue = kombu.Queue(self.name)

    @property
    def channel(self) -> Any:
        return self.connection.default_channel

    def publish(self, countdown: float | None = None) -> None:
        eta = None if countdown is None else (datetime.now(UTC) + timedelta(seconds=countdown)).isoformat()
        headers = {"id": uuid.uuid4().hex, "eta": eta}
        self.connection.Producer().publish({}, headers=headers, routing_key=self.name, declare=[self.queue])

    def take(self) -> Any:
        return self.queue(self.channel).get(no_ack=False)

    def pop(self) -> Any:
        """Take a message as a worker does, under this worker's name."""
        self.channel.worker_id = WORKER_ID
        seen: list[Any] = []
        with self.consumer(seen):
            while not seen:
                self.connection.drain_events(timeout=WITHIN)
        return seen[0]

    def publish_when_awaited(self) -> None:
        """Publish as soon as a consumer waits for it."""
        with kombu.Connection(self.url, transport=Transport, transport_options=self._prefix) as other:
            assert wait_until(lambda: self.server.info("clients")["blocked_clients"] > 0, within=WITHIN)
            other.Producer().publish({}, routing_key=self.name, declare=[self.queue])

    def consumer(self, seen: list[Any]) -> kombu.Consumer:
        return kombu.Consumer(self.channel, [self.queue], on_message=seen.append)

    def sweep(self) -> None:
        self.channel.qos.restore_visible(num=None, interval=1)

    def counts(self) -> tuple[int, int]:
        """How many wait, and how many are marked as unacknowledged."""
        marks = int(self.server.zcard(f"{PREFIX}{self.channel.unacked_index_key}"))
        assert self.server.hlen(f"{PREFIX}{self.channel.unacked_key}") == marks
        return int(self.server.llen(f"{PREFIX}{self.name}")), marks


@contextmanager
def desk(server: ValkeyServer, **options: Any) -> Iterator[Desk]:
    opened = Desk(server, **options)
    try:
        yield opened
    finally:
        opened.connection.release()
        opened.server.close()
