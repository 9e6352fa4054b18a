"""The state of the installation, looked at once for all who ask within a few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog
from starlette.concurrency import run_in_threadpool

from domain.errors import SystemUnreadable
from domain.value import Value
from domain.views.system import Part, SystemState, dead_letter_row, engine_row, parked_row
from web.ports import WebPorts

log = structlog.get_logger("web")

FRESH_S = 3.0
"""For how long a look serves others: fifty open pages then cost one."""
LETTERS = 20
"""Dead letters that are part of the state; the others are a link away."""
MAY_NOT = "The page's own login may not read this. docs/security.md says which may."

T = TypeVar("T", bound=Value)


class SystemLooks:
    """Looks at all parts side by side; one that fails says so, and the others are there."""

    def __init__(self, ports: WebPorts, *, default_model: str, denials: tuple[type[Exception], ...] = ()) -> None:
        """`denials` are what ports raise where the page's own login may not do something."""
        self._ports = ports
        self._default_model = default_model
        self._denials = denials
        self._looking = asyncio.Lock()
        self._state: SystemState | None = None
        self._until = 0.0

    async def state(self) -> SystemState:
        """Return the state as it is now, or was a few seconds ago."""
        async with self._looking:
            if self._state is None or time.monotonic() >= self._until:
                self._state = await self._look()
                self._until = time.monotonic() + FRESH_S
            return self._state

    def forget(self) -> None:
        """Have the next one look anew: something was changed."""
        self._until = 0.0

    async def _look(self) -> SystemState:
        ports, watch = self._ports, self._ports.system
        findings, queues, workers, engines, letters, parked, schedules = await asyncio.gather(
            self._part("findings", lambda: run_in_threadpool(watch.findings)),
            self._part("queues", lambda: run_in_threadpool(lambda: watch.queues(self._models()))),
            self._part("workers", lambda: run_in_threadpool(watch.workers)),
            self._part("engines", lambda: run_in_threadpool(lambda: map(engine_row, ports.engines.all()))),
            self._part("dead letters", self._letters),
            self._part("parked", lambda: run_in_threadpool(lambda: map(parked_row, ports.parking.all()))),
            self._part("schedules", lambda: run_in_threadpool(watch.schedules)),
        )
        return SystemState(
            looked_at=time.time(),
            findings=findings,
            queues=queues,
            workers=workers,
            engines=engines,
            dead_letters=letters,
            parked=parked,
            schedules=schedules,
        )

    async def _part(self, name: str, look: Callable[[], Awaitable[Iterable[T]]]) -> Part[T]:
        try:
            return Part(rows=tuple(await look()))
        except SystemUnreadable as error:
            return Part(problem=str(error))
        except Exception as error:  # whatever is broken there, the other parts are what people come for
            if isinstance(error, self._denials):
                return Part(problem=MAY_NOT)
            log.warning("part of the system unreadable", part=name, reason=repr(error))
            return Part(problem=f"This can't be read now ({type(error).__name__}). Try again in a moment.")

    async def _letters(self) -> Iterable[Value]:
        return map(dead_letter_row, await self._ports.dead_letters.list(0, LETTERS))

    def _models(self) -> set[str]:
        """Name every model that a council asks for or an engine serves."""
        councils = self._ports.councils.all()
        asked = {agent.model or self._default_model for council in councils for agent in council.members}
        return (asked | {engine.model for engine in self._ports.engines.all()}) - {""}
