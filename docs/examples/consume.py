"""Consume decisions: a durable consumer that reads each one once, also those made while it was away.

python consume.py nats://127.0.0.1:4222 my-service 1
"""

import asyncio
import json
import sys

import nats


async def consume(url: str, durable: str, count: int) -> None:
    client = await nats.connect(url)
    stream = client.jetstream()
    decisions = await stream.pull_subscribe("orchestration.deliberation.completed", durable=durable)
    while count > 0:
        try:
            messages = await decisions.fetch(10, timeout=5)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            body = json.loads(message.data)
            best = body["decisions"][0]
            # Delivery is at least once: `deliberation_id` tells a decision that you have handled before.
            print(body["deliberation_id"], best["proposal"]["author"]["agent_id"], best["score"], flush=True)
            await message.ack()
            count -= 1
    await client.close()


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3])))
