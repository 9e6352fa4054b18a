"""Many approvals, a bounded number of them open at once, and how their deliberations end."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from types import TracebackType
from typing import Self

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.acceptance.test_pipeline import APPROVED, COMPLETED, FAILED, approval

AT_ONCE = 48
"""As many as keep two cores busy; more would only wait."""
STALLED_AFTER_S = 120.0
POLL_S = 0.1


class Crowd:
    """Asks and listens as any publisher and consumer would."""

    def __init__(self, nats_url: str) -> None:
        self.open: set[str] = set()
        self.ends: Counter[str] = Counter()
        """Subject → deliberations that ended so."""
        self._url = nats_url
        self._asked_at: list[float] = []
        self._heard_at = time.monotonic()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        self.client: Client = await nats.connect(self._url)
        for subject in (COMPLETED, FAILED):
            await self.client.subscribe(subject, cb=self._hear, pending_bytes_limit=-1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()

    async def ask(self, count: int) -> None:
        """Approve that many plans of one role."""
        stream = self.client.jetstream()
        for _ in range(count):
            await self._room.acquire()
            wanted = approval()
            self.open.add(wanted["plan_id"])
            self._asked_at.append(time.monotonic())
            await stream.publish(APPROVED, json.dumps(wanted).encode())

    async def until(self, count: int) -> None:
        """Wait until that many have ended. Raises AssertionError when nothing ends for long."""
        while self.ends.total() < count:
            silent_s = time.monotonic() - self._heard_at
            assert silent_s < STALLED_AFTER_S, f"no end for {silent_s:.0f} s, open: {sorted(self.open)[:5]}"
            await asyncio.sleep(POLL_S)

    def asked_within(self, seconds: float) -> int:
        """Return how many were asked in the last so many seconds, and those that are open since earlier."""
        horizon = time.monotonic() - seconds
        return sum(at >= horizon for at in self._asked_at) + len(self.open)

    async def _hear(self, message: Msg) -> None:
        plan_id = json.loads(message.data)["plan_id"]
        if plan_id in self.open:
            self.open.remove(plan_id)
            self.ends[message.subject] += 1
            self._heard_at = time.monotonic()
            self._room.release()
