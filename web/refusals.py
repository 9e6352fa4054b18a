"""The newest messages that became dead letters, looked at once for all who list within a few seconds."""

from __future__ import annotations

import asyncio
import time

from starlette.concurrency import run_in_threadpool

from domain.errors import SystemUnreadable
from domain.ports.dead_letter_desk import DeadLetterDesk
from domain.views.refused import RefusedMessage, refused_message
from domain.views.system import Part

MOST = 50
"""Dead letters that are looked at; the System page has the others."""
FRESH_S, FRESH_PROBLEM_S = 3.0, 15.0
"""For how long a look serves others; one that failed may have taken seconds."""


class Refusals:
    """Reads the desk; what can't be read is a problem in a sentence, and no list waits for it again soon."""

    def __init__(self, desk: DeadLetterDesk) -> None:
        self._desk = desk
        self._looking = asyncio.Lock()
        self._part: Part[RefusedMessage] = Part()
        self._until = 0.0

    async def newest(self) -> Part[RefusedMessage]:
        """Return them, newest first."""
        async with self._looking:
            if time.monotonic() >= self._until:
                self._part = await self._look()
                self._until = time.monotonic() + (FRESH_PROBLEM_S if self._part.problem else FRESH_S)
            return self._part

    async def _look(self) -> Part[RefusedMessage]:
        try:
            letters = await self._desk.newest(MOST)
            return Part(rows=await run_in_threadpool(lambda: tuple(map(refused_message, letters))))
        except SystemUnreadable as error:
            return Part(problem=str(error))
