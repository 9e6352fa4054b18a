"""What a stream holds, read as plain nats-py reads it."""

from __future__ import annotations

import json

import nats
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from tests.support.observer import ObservedEvent

WITHIN_S = 120.0
"""Longest wait for the next message."""


async def recorded(url: str, subject: str) -> list[ObservedEvent]:
    """Read what is stored on a subject, wildcards allowed, oldest first."""
    client = await nats.connect(url)
    try:
        stream = client.jetstream(timeout=300)
        name = await stream.find_stream_name_by_subject(subject)
        state = (await stream.stream_info(name, subjects_filter=subject)).state
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
        subscription = await stream.subscribe(subject, stream=name, ordered_consumer=True, config=config)
        count = sum((state.subjects or {}).values())
        return [_heard(await subscription.next_msg(timeout=WITHIN_S)) for _ in range(count)]
    finally:
        await client.close()


def _heard(message: Msg) -> ObservedEvent:
    headers = {str(name): str(value) for name, value in (message.headers or {}).items()}
    body = json.loads(message.data) if message.subject.startswith("orchestration.") else {}
    return ObservedEvent(message.subject, headers, body, message.data)
