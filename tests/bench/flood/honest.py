"""Honest plans, approved as the shipped client, and the seconds to their decisions."""

from __future__ import annotations

import asyncio
import json
import time

from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.bench.flood.attackers import login
from tests.support.secured import SecuredNats


async def decided(server: SecuredNats, count: int, *, within_s: float) -> list[float]:
    """Approve so many plans at once; return the seconds to each decision that came within the time, sorted."""
    began: dict[str, float] = {}
    took: dict[str, float] = {}
    async with login(server, "client") as client:
        events = await client.subscribe(COMPLETED, pending_bytes_limit=-1, pending_msgs_limit=-1)
        for asked in [approval() for _ in range(count)]:
            began[asked["plan_id"]] = time.monotonic()
            await client.jetstream().publish(APPROVED, json.dumps(asked).encode(), timeout=within_s)
        try:
            async with asyncio.timeout(within_s):
                while len(took) < count:
                    plan_id = json.loads((await events.next_msg(timeout=within_s)).data)["plan_id"]
                    if plan_id in began:
                        took[plan_id] = time.monotonic() - began[plan_id]
        except TimeoutError:
            pass
    return sorted(took.values())
