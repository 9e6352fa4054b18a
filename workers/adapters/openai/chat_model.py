"""Models over OpenAI's chat completions: chooses the engine, waits for a busy one, never raises for a call."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

from domain.chat import ChatFailure, ChatOutcome, ChatRequest, FailureReason
from domain.engine import EngineRecord
from domain.ports.engine_directory import EngineDirectory
from workers.adapters.openai.engine_choice import least_loaded, nobody_serves, reachable
from workers.adapters.openai.engine_clients import EngineClients
from workers.adapters.openai.failures import Busy, reason_of, retry_after
from workers.adapters.openai.pending_calls import PendingCalls
from workers.portal import Portal

FIRST_BACK_OFF_S = 0.1
LONGEST_BACK_OFF_S = 2.0


class OpenAIChatModel:
    """ChatModel over the engines of a directory."""

    def __init__(
        self,
        directory: EngineDirectory,
        portal: Portal,
        *,
        own: Callable[[], EngineRecord | None] = lambda: None,
        api_key: Callable[[EngineRecord], str] = lambda record: "",
        max_in_flight: int | None = None,
        observe: Callable[[ChatOutcome], None] = lambda outcome: None,
        jitter: Callable[[], float] = random.random,
        node: str = "",
    ) -> None:
        """`own`: the engine this worker is pinned to, None while it can't serve; it goes before all others.

        `max_in_flight`: calls to one engine from this process; None means the engine's slots. `observe` hears of
        every outcome, on the event loop: it must not block. `jitter` draws from 0 to 1. `node`: this host as
        engines' records name it.
        """
        self._directory = directory
        self._portal = portal
        self._own = own
        self._observe = observe
        self._jitter = jitter
        self._node = node or socket.gethostname()
        self._clients = EngineClients(api_key=api_key, max_in_flight=max_in_flight)
        portal.before_close(self._clients.close)

    def ask(self, requests: Sequence[ChatRequest]) -> Iterator[ChatOutcome]:
        """See ChatModel. Raises what the directory raises while its store is away."""
        serving = {model: self._serving(model) for model in {request.model for request in requests}}
        known = () if all(serving.values()) else [one for one in self._directory.all() if one.ready]
        unserved = [nobody_serves(request, known) for request in requests if not serving[request.model]]
        calls = [(request, serving[request.model]) for request in requests if serving[request.model]]
        return PendingCalls(self._portal, [partial(self._call, *call) for call in calls], unserved)

    def close(self) -> None:
        """Close this process's connections to engines, when no call is under way."""
        self._portal.call(self._clients.close)

    def _serving(self, model: str) -> tuple[EngineRecord, ...]:
        own = self._own()
        if own is not None and own.model == model:
            return (own,)
        return reachable(self._directory.serving(model), self._node)

    async def _call(self, request: ChatRequest, engines: Sequence[EngineRecord]) -> ChatOutcome:
        at = _Whereabouts()
        try:
            async with asyncio.timeout(request.timeout_s):
                outcome = await self._until_not_busy(request, engines, at)
        except TimeoutError:
            reason, doing = (FailureReason.BUSY, at.busy) if at.busy else (at.reason, at.doing)
            detail = f"{doing} for {request.timeout_s:g} s"
            outcome = ChatFailure(key=request.key, reason=reason, detail=detail, engine=at.engine)
        self._observe(outcome)
        return outcome

    async def _until_not_busy(
        self, request: ChatRequest, engines: Sequence[EngineRecord], at: _Whereabouts
    ) -> ChatOutcome:
        for attempt in count():
            record = least_loaded(engines, self._in_flight, avoid=at.engine)
            at.engine = record.name
            try:
                return await self._try(record, request, at)
            except Busy as busy:
                at.busy = str(busy)
                await asyncio.sleep(max(busy.retry_after_s, back_off_s(attempt, self._jitter())))
        raise AssertionError("count() does not end")

    async def _try(self, record: EngineRecord, request: ChatRequest, at: _Whereabouts) -> ChatOutcome:
        """Make one call; raises Busy if the engine says so."""
        client = self._clients.of(record)
        at.reason, at.doing = FailureReason.BUSY, f"waited for one of {record.slots} slots"
        async with client.slot():
            at.reason, at.doing = FailureReason.TIMEOUT, "no answer"
            try:
                return await client.answer(record, request)
            except Exception as error:
                reason, detail = reason_of(error)
                if reason is FailureReason.BUSY:
                    raise Busy(detail, retry_after(error)) from error
                return ChatFailure(key=request.key, reason=reason, detail=detail, engine=record.name)

    def _in_flight(self, record: EngineRecord) -> int:
        return self._clients.of(record).in_flight


def back_off_s(attempt: int, draw: float) -> float:
    """Return the pause before a busy engine is tried again: 0.1 s, doubling up to 2 s, times 0.5 to 1.5."""
    return float(min(FIRST_BACK_OFF_S * 2.0**attempt, LONGEST_BACK_OFF_S) * (0.5 + draw))


@dataclass
class _Whereabouts:
    """What a call is at, for the sentence in case its time ends there."""

    reason: FailureReason = FailureReason.TIMEOUT
    doing: str = "no answer"
    engine: str = ""
    busy: str = ""
    """What an engine said that had no room; a call that was turned away once never had its whole time."""
