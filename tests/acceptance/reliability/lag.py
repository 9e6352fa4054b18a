"""How far bridges are with a subject, as JetStream sees it."""

from __future__ import annotations

import asyncio

from nats.aio.client import Client

from bridge.subjects import INBOUND


async def unfetched(client: Client, subject: str) -> int:
    """Return how many messages no bridge has fetched."""
    return (await _figures(client, subject))[0]


async def taken_in(client: Client, *, within: float) -> None:
    """Wait until nothing is left to fetch and nothing in the hands of any bridge, alive or dead."""
    async with asyncio.timeout(within):
        while any([sum(await _figures(client, subject)) for subject in INBOUND]):
            await asyncio.sleep(0.1)


async def _figures(client: Client, subject: str) -> tuple[int, int]:
    stream = client.jetstream()
    name = await stream.find_stream_name_by_subject(subject)
    info = await stream.consumer_info(name, f"conclave-{subject.replace('.', '-')}")
    return info.num_pending or 0, info.num_ack_pending or 0
