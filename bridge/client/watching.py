"""Every event about one outcome, in the order of the stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from nats.aio.client import Client

from bridge.client.news import AWAY, News, Place, wait_while_away
from bridge.client.outcome import Outcome
from bridge.client.stored_events import StoredEvents
from domain.contract import EventBody

EVERYTHING = "orchestration.>"


async def watch(
    client: Client, events: StoredEvents, outcome: Outcome, since: int
) -> AsyncGenerator[EventBody, None]:
    """Yield the outcome's events from the sequence on until it is settled. Raises NotDecided, NotConnected."""
    place = Place(events, EVERYTHING, since)
    found: list[EventBody] = []
    async with News(client, [EVERYTHING]) as news:
        while True:
            try:
                place.rewind(await events.end())
                await place.read(lambda body: found.append(body) if outcome.take(body) else None)
                away = False
            except AWAY:
                away = True
            while found:
                yield found.pop(0)
            if outcome.settled.is_set():
                outcome.ends()
                return
            await (wait_while_away(client) if away else news.wait())
