"""Honest plans, approved as the shipped client, and the seconds to their decisions."""

from __future__ import annotations

import asyncio
import json
import time

from tests.acceptance.test_pipeline import APPROVED, COMPLETED, FAILED, approval
from tests.bench.flood.attackers import login
from tests.support.secured import SecuredNats

ENDS = "orchestration.deliberation.*"


async def decided(server: SecuredNats, count: int, *, within_s: float) -> list[float]:
    """Approve so many plans at once; return the seconds to each decision that came within the time, sorted.

    Why others failed is printed.
    """
    began: dict[str, float] = {}
    took: dict[str, float] = {}
    failed: dict[str, str] = {}
    async with login(server, "client") as client:
        events = await client.subscribe(ENDS, pending_bytes_limit=-1, pending_msgs_limit=-1)
        for asked in [approval() for _ in range(count)]:
            began[asked["plan_id"]] = time.monotonic()
            await client.jetstream().publish(APPROVED, json.dumps(asked).encode(), timeout=within_s)
        try:
            async with asyncio.timeout(within_s):
                while len(took) + len(failed) < count:
                    body = json.loads((await events.next_msg(timeout=within_s)).data)
                    plan_id = body.get("plan_id")
                    if plan_id in began and body["event_type"] == COMPLETED:
                        took[plan_id] = time.monotonic() - began[plan_id]
                    elif plan_id in began and body["event_type"] == FAILED:
                        failed[plan_id] = f"{body['reason']} {body['failures']}"
        except TimeoutError:
            pass
    for plan_id, reason in failed.items():
        print(f"{plan_id} failed: {reason}")
    if len(took) + len(failed) < count:
        print(f"{count - len(took) - len(failed)} of {count} had no end within {within_s:g} s")
    return sorted(took.values())
