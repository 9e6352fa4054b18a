"""The bridge as a NATS micro service (ADR-32), so that `nats micro stats conclave-bridge` finds each bridge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from nats.aio.client import Client
from nats.errors import Error
from nats.micro import add_service
from nats.micro.request import Request

from bridge.statistics import BridgeStatistics

NAME = "conclave-bridge"
STATUS_SUBJECT = "conclave.bridge.status"
STOP_WITHIN_S = 2.0
"""A service drains its subscriptions when it stops, for ten seconds where the server is silent."""


@asynccontextmanager
async def micro_service(client: Client, statistics: BridgeStatistics, *, version: str) -> AsyncIterator[None]:
    """Answer `$SRV.PING|INFO|STATS` and the status subject for as long as the block lasts.

    The statistics are each bridge's own: the STATS answer carries them as `data` of its one endpoint.
    """

    async def status(request: Request) -> None:
        await request.respond(json.dumps(statistics.as_dict()).encode())

    service = await add_service(
        client,
        name=NAME,
        version=version,
        description="Takes approvals in, publishes decisions",
        stats_handler=lambda _: statistics.as_dict(),
    )
    await service.add_endpoint(name="status", subject=STATUS_SUBJECT, handler=status)
    try:
        yield
    finally:
        with suppress(Error, TimeoutError, OSError):
            await asyncio.wait_for(service.stop(), STOP_WITHIN_S)
