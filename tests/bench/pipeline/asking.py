"""Publishes approvals as a stranger would, and times their decisions by the consumer's clock."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import uuid4

import nats

ROLE = "DEV"


def deliberate(nats_url: str, count: int, *, within_s: float) -> list[float]:
    """Publish `count` approvals at once; return the seconds from each publication to its completed event."""
    return asyncio.run(_deliberate(nats_url, count, within_s))


async def _deliberate(nats_url: str, count: int, within_s: float) -> list[float]:
    client = await nats.connect(nats_url)
    events = await client.subscribe("orchestration.deliberation.*")
    stream = client.jetstream()
    began: dict[str, float] = {}
    took: list[float] = []

    async def approve(plan_id: str) -> None:
        began[plan_id] = time.monotonic()
        await stream.publish("planning.plan.approved", json.dumps(approval(plan_id)).encode())

    try:
        await asyncio.gather(*(approve(f"bench-{uuid4().hex}") for _ in range(count)))
        async with asyncio.timeout(within_s):
            while len(took) < count:
                message = await events.next_msg(timeout=None)
                body = json.loads(message.data)
                if message.subject.endswith(".failed"):
                    raise RuntimeError(f"a deliberation failed: {body['reason']}")
                if message.subject.endswith(".completed") and body["plan_id"] in began:
                    took.append(time.monotonic() - began[body["plan_id"]])
    finally:
        await client.close()
    return took


def approval(plan_id: str) -> dict[str, object]:
    """Return an approval in the least form that the contract allows, with a plan to read."""
    return {
        "story_id": "bench",
        "plan_id": plan_id,
        "approved_by": "bench",
        "roles": [ROLE],
        "timestamp": "2026-01-31T12:00:00Z",
        "title": "Let users reset their password",
        "description": "A link by mail that works once, within an hour.",
    }
