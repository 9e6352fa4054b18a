"""A stream of events that is cut again and again hands on each event once, in order, whatever restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from bridge.event_publisher import NatsEventPublisher
from bridge.nats_connection import connect
from bridge.options import StreamLimits
from bridge.streams import ORCHESTRATOR, ensure
from domain.services import Services
from tests.support import factories as make
from tests.support.fleet import Service
from tests.support.servers import NatsServer
from tests.support.web_page import web_page
from workers.portal import Portal
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.settings import Settings

EVENTS = 1000
CUT_AFTER = 5
WITHIN_S = 240.0


def test_a_thousand_events_arrive_once_and_in_order(
    environment: Settings, services: Services, own_nats: NatsServer, tmp_path: Path, guard: Guard
) -> None:
    opened = make.opened(opened_at=services.clock.now())
    deliberation_id = opened.deliberation.deliberation_id
    services.deliberations.record(deliberation_id, opened)
    port = free_port()
    page = Service(web_page(port), folder=tmp_path, guard=guard).start()
    portal = Portal()
    try:
        portal.call(_with_stream, environment)
        publisher = NatsEventPublisher(environment.nats, portal)
        url = f"http://127.0.0.1:{port}/api/deliberations/{deliberation_id}/events"

        ids = (deliberation_id, "d-other")

        def tell(numbers: range) -> None:
            for number in numbers:
                bodies = [make.progress_body(deliberation_id=id_, what=str(number)) for id_ in ids]
                publisher.publish([make.event(body=body) for body in bodies])

        async def play() -> list[str]:
            reader = asyncio.create_task(_read(url))
            await asyncio.to_thread(tell, range(400))
            await asyncio.to_thread(page.stop)
            await asyncio.to_thread(tell, range(400, 600))
            await asyncio.to_thread(page.start)
            await asyncio.to_thread(own_nats.restart)
            await asyncio.to_thread(tell, range(600, 800))
            await asyncio.to_thread(page.stop)
            await asyncio.to_thread(page.start)
            await asyncio.to_thread(tell, range(800, EVENTS))
            return await asyncio.wait_for(reader, WITHIN_S)

        assert asyncio.run(play()) == [str(number) for number in range(EVENTS)]
    finally:
        portal.close()
        page.stop()


async def _read(url: str) -> list[str]:
    """Read all events over many connections, each cut after its fifth event."""
    found: list[str] = []
    last_id = ""
    async with aiohttp.ClientSession() as session:
        while len(found) < EVENTS:
            try:
                headers = {"Last-Event-ID": last_id} if last_id else {}
                async with session.get(url, headers=headers) as answer:
                    answer.raise_for_status()
                    number = 0
                    async for place, data in _events(answer):
                        last_id = place
                        found.append(json.loads(data)["what"])
                        number += 1
                        if number == CUT_AFTER or len(found) == EVENTS:
                            break
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    return found


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str]]:
    fields: dict[str, str] = {}
    async for line in answer.content:
        name, colon, value = line.decode().rstrip("\r\n").partition(":")
        if colon:
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield fields["id"], fields["data"]
            fields = {}


async def _with_stream(settings: Settings) -> None:
    client = await connect(settings.nats)
    await ensure(client.jetstream(), ORCHESTRATOR, StreamLimits())
    await client.close()
