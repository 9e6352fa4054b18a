"""Consume decisions: a durable consumer that reads each one once, also those made while it was away.

python consume.py nats://127.0.0.1:4222 my-service 1

With the shipped logins an operator makes the durable `observer`, once, by `conclave consumer create observer`, and
the login of that name reads from it:

python consume.py nats://observer:PASSWORD@127.0.0.1:4222 observer 1 conclave.api
"""

import asyncio
import json
import sys

import nats

COMPLETED = "orchestration.deliberation.completed"


async def consume(url: str, durable: str, count: int, api: str = "$JS.API") -> None:
    client = await nats.connect(url)
    stream = client.jetstream(prefix=api)
    decisions = await stream.pull_subscribe(COMPLETED, durable=durable, stream="ORCHESTRATOR_EVENTS")
    while count > 0:
        try:
            messages = await decisions.fetch(10, timeout=5)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            if body := decision_in(message.data):
                best = body["decisions"][0]
                # Delivery is at least once: `deliberation_id` tells a decision that you have handled before.
                print(body["deliberation_id"], best["proposal"]["author"]["agent_id"], best["score"], flush=True)
                count -= 1
            await message.ack()
    await client.close()


def decision_in(data: bytes) -> dict:
    """Return the body of a decision; {} for another event, and for what is none and came on our subjects."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) and body.get("event_type") == COMPLETED else {}


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:]))
