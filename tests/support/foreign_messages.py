"""What lies on `orchestration.…` beside events: answers of JetStream, and bytes of any kind."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from nats.aio.client import Client

SUBJECTS = tuple(f"orchestration.deliberation.{kind}" for kind in ("completed", "failed", "progress"))
JUNK = (
    b"",
    b"\xff\xfe\x00",
    b"not JSON",
    b"null",
    b"[]",
    b'"orchestration.deliberation.completed"',
    b"1e999",
    b"{}",
    b'{"event_type": null, "plan_id": {}, "decisions": 7}',
    json.dumps({"event_type": "something.else", "decisions": [], "reason": "forged"}).encode(),
    b"[" * 100_000,
    b'{"a":' * 100_000,
)
ANSWERING = (
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.ORCHESTRATOR_EVENTS",
    "$JS.API.STREAM.MSG.GET.ORCHESTRATOR_EVENTS",
)
"""Requests whose answers, with these replies, JetStream itself stores among the events."""


async def scatter(client: Client) -> None:
    """Publish each kind once on each subject, and have JetStream answer there. For a login of ours."""
    for subject in SUBJECTS:
        for data in JUNK:
            await client.publish(subject, data)
        for request in ANSWERING:
            await client.publish(request, b'{"seq": 1}', reply=subject)
    await client.flush()


async def scatter_until(client: Client, over: asyncio.Event, *, every_s: float = 2.0) -> None:
    """Scatter again and again until `over` is set."""
    while not over.is_set():
        await scatter(client)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), every_s)
