"""Approve a plan and wait for its decision, or the reason why there is none; plain nats-py, nothing of Conclave.

python decide.py nats://client:PASSWORD@127.0.0.1:4222 PLAN-7 DEV
"""

import asyncio
import json
import sys
from datetime import UTC, datetime

import nats


async def decide(url: str, plan_id: str, role: str) -> dict:
    client = await nats.connect(url)
    events = await client.subscribe("orchestration.>")
    approval = {
        "story_id": "example",
        "plan_id": plan_id,
        "approved_by": "you",
        "roles": [role],
        "timestamp": datetime.now(UTC).isoformat(),
        "title": "Let users reset a forgotten password",
    }
    stored = await client.jetstream().publish("planning.plan.approved", json.dumps(approval).encode())
    async with asyncio.timeout(900):
        while True:
            message = await events.next_msg(timeout=None)
            body = event_of(message.subject, message.data)
            ended = message.subject.endswith((".completed", ".failed", ".cancelled"))
            rejected = (body.get("stream"), body.get("sequence")) == (stored.stream, stored.seq)
            if rejected or (ended and body.get("plan_id") == plan_id):
                await client.close()
                return body


def event_of(subject: str, data: bytes) -> dict:
    """Return an event of Conclave; {} for anything else that may be on its subjects."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) and body.get("event_type") == subject else {}


if __name__ == "__main__":
    found = asyncio.run(decide(*sys.argv[1:]))
    print(json.dumps(found.get("winner") or found.get("reason")))
