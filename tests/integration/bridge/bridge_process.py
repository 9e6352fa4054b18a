"""A bridge in a process of its own, to be killed: says on stderr what its Dispatcher was offered, and hangs there.

Run with the server's address and the acknowledgement wait in seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

from bridge.bridge import Bridge
from bridge.options import BridgeOptions, ConsumerOptions, NatsOptions
from domain.plan import PlanRequest


class Hanging:
    """A Dispatcher that never returns."""

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        for request in requests:
            print(request.plan.plan_id, file=sys.stderr, flush=True)
        time.sleep(600)
        return tuple(requests)


async def main(url: str, ack_wait_s: float) -> None:
    options = BridgeOptions(
        nats=NatsOptions(url=(url,)), consumer=ConsumerOptions(ack_wait_s=ack_wait_s, wait_s=0.2)
    )
    await Bridge(options, dispatcher=Hanging(), judge=print).serve(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
