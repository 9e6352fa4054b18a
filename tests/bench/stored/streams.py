"""What deliberations leave in JetStream: messages and bytes of each stream."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import nats

from bridge.streams import all_streams
from tests.bench.pipeline.asking import deliberate
from tests.bench.pipeline.stage import stage

COUNT = 20


async def held(nats_url: str) -> dict[str, tuple[int, int]]:
    """Return how many messages each stream holds, and their bytes as its limit counts them."""
    async with await nats.connect(nats_url) as client:
        infos = {plan.name: await client.jetstream().stream_info(plan.name) for plan in all_streams()}
    return {name: (info.state.messages, info.state.bytes) for name, info in infos.items()}


def per_deliberation() -> dict[str, tuple[float, float]]:
    """Deliberate with three agents and short answers; return messages and bytes of each deliberation by stream."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as (nats_url, _, _):
        deliberate(nats_url, COUNT, within_s=300)
        found = asyncio.run(held(nats_url))
    return {name: (messages / COUNT, size / COUNT) for name, (messages, size) in found.items()}


if __name__ == "__main__":
    for name, (messages, size) in per_deliberation().items():
        print(f"{name}: {messages:.1f} messages, {size:.0f} bytes a deliberation")
