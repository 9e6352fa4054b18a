"""The ends that many callers wait for, read once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from nats.aio.client import Client

from bridge.cancelling import cancel_all
from bridge.client.news import AWAY, News, Place, wait_while_away
from bridge.client.outcome import Follower
from bridge.client.stored_events import StoredEvents
from domain.contract import EventBody
from domain.event_types import CANCELLED, COMPLETED, DISPATCHED, FAILED, JUDGED, MESSAGE_REJECTED

SUBJECTS = (COMPLETED, FAILED, CANCELLED, DISPATCHED, JUDGED, MESSAGE_REJECTED)


class EventTail:
    """Reads the ends of deliberations, and the answers to what was published, for as long as somebody waits."""

    def __init__(self, client: Client, events: StoredEvents) -> None:
        self._client = client
        self._events = events
        self._places: list[Place] = []
        self._followers: set[Follower] = set()
        self._reading: asyncio.Task[None] | None = None

    async def settle(self, outcome: Follower, since: int, *, within_s: float) -> None:
        """Have the outcome take what was stored since the sequence, and what comes, until it is settled.

        Returns when the time is over, too. Raises what keeps the stream from being read, such as NotConnected.
        """
        over = monotonic() + within_s
        async with self._following(outcome, since) as reading:
            waiting = asyncio.create_task(outcome.settled.wait())
            try:
                while not outcome.settled.is_set() and (left := over - monotonic()) > 0:
                    going_on = [task for task in reading if not _over(task)]
                    await asyncio.wait([waiting, *going_on], timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await cancel_all([waiting])

    @asynccontextmanager
    async def _following(self, outcome: Follower, since: int) -> AsyncIterator[tuple[asyncio.Task[None], ...]]:
        """Have the outcome take what was stored since the sequence, and what comes while the block lasts.

        Yields the tasks that read for it; one that fails can't go on.
        """
        if self._reading is None:
            self._places = [Place(self._events, subject, since) for subject in SUBJECTS]
            self._reading = asyncio.create_task(self._read())
        self._followers.add(outcome)
        reading = self._reading
        catching_up = asyncio.create_task(self._catch_up(outcome, since))
        try:
            yield reading, catching_up
        finally:
            self._followers.discard(outcome)
            ended = [catching_up]
            if not self._followers and self._reading is reading:
                self._reading = None
                ended.append(reading)
            await cancel_all(ended)

    async def _read(self) -> None:
        async with News(self._client, SUBJECTS) as news:
            while True:
                try:
                    end = await self._events.end()
                    for place in self._places:
                        place.rewind(end)
                        await place.read(self._hand_on)
                except AWAY:
                    await wait_while_away(self._client)
                else:
                    await news.wait()

    def _hand_on(self, body: EventBody) -> None:
        for follower in tuple(self._followers):
            follower.take(body)

    async def _catch_up(self, outcome: Follower, since: int) -> None:
        """Read for one outcome what the others had read before it joined."""
        missed = [(Place(self._events, place.subject, since), place.sequence) for place in self._places]
        for place, upto in missed:
            await self._patiently(place, outcome, upto)

    async def _patiently(self, place: Place, outcome: Follower, upto: int) -> None:
        while place.sequence < upto:
            try:
                await place.read(outcome.take, upto=upto)
            except AWAY:
                await wait_while_away(self._client)
            else:
                return


def _over(reading: asyncio.Task[None]) -> bool:
    """Whether the task has read everything. Raises what ended it."""
    if reading.done():
        reading.result()
    return reading.done()
