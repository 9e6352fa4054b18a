"""A publisher that keeps approving plans, whatever becomes of the server meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import nats
from nats.errors import Error

from tests.acceptance.test_pipeline import APPROVED, approval


async def approve_steadily(
    nats_url: str, asked: dict[str, float], *, every_s: float, over: Callable[[], bool]
) -> None:
    """Approve a plan and wait, until it is over. `asked` gets plan id → when JetStream had confirmed it."""
    client = await nats.connect(nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0.2)
    stream = client.jetstream()
    while not over():
        wanted = approval()
        # The prompt holds the title, so that the judge knows which plan a text was given for.
        wanted["title"] = wanted["plan_id"]
        while wanted["plan_id"] not in asked:
            try:
                data = json.dumps(wanted).encode()
                await stream.publish(APPROVED, data, headers={"Nats-Msg-Id": wanted["plan_id"]}, timeout=2)
                asked[wanted["plan_id"]] = time.time()
            except (Error, TimeoutError, OSError):
                await asyncio.sleep(0.2)
        await asyncio.sleep(every_s)
    await client.close()
