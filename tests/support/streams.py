"""Our streams, made as bridges make them, and what they hold, seen and put there from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import nats
from nats.aio.client import Client

from bridge.options import StreamLimits
from bridge.streams import all_streams, ensure
from bridge.subjects import PLAN_APPROVED, dead_letter_subject


@dataclass(frozen=True)
class Stored:
    """A stream at one moment."""

    messages: int
    bytes: int
    first: int
    """Sequence number of the oldest message; above 1 when some have gone."""
    last: int
    unacknowledged: int
    """Deliveries to our consumers that nobody has settled."""


async def make_streams(url: str) -> None:
    """Make our streams, as bridges do."""
    async with await nats.connect(url) as client:
        for plan in all_streams():
            await ensure(client.jetstream(timeout=300), plan, StreamLimits())


def leave_dead_letter(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Leave a dead letter as a bridge does, in streams that are there then; return its number."""

    async def leave() -> int:
        await make_streams(url)
        async with await nats.connect(url) as client:
            subject = dead_letter_subject(PLAN_APPROVED)
            return (await client.jetstream().publish(subject, body, headers=dict(headers))).seq

    return asyncio.run(leave())


async def streams(client: Client) -> dict[str, Stored]:
    """Return our streams by name."""
    return {plan.name: await _stored(client, plan.name) for plan in all_streams()}


async def _stored(client: Client, name: str) -> Stored:
    context = client.jetstream(timeout=300)
    state = (await context.stream_info(name)).state
    pending = sum(one.num_ack_pending or 0 for one in await context.consumers_info(name))
    return Stored(state.messages, state.bytes, state.first_seq, state.last_seq, pending)
