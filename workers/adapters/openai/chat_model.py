"""Models over OpenAI's chat completions: chooses the engine, waits for a busy one, never raises for a call."""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

from domain.chat import ChatFailure, ChatOutcome, ChatRequest, FailureReason
from domain.engine import EngineRecord
from domain.ports.engine_directory import EngineDirectory
from workers.adapters.openai.engine_client import EngineClients
from workers.adapters.openai.failures import EngineBusy, retry_after
from workers.adapters.openai.http_client import MAX_ANSWER_BYTES
from workers.adapters.openai.pending_calls import PendingCalls
from workers.adapters.openai.request import request_parameters
from workers.engines.errors import ALLOW_IT
from workers.portal import Portal

FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 2.0


class OpenAIChatModel:
    """ChatModel over the engines of a directory."""

    def __init__(
        self,
        directory: EngineDirectory,
        portal: Portal,
        *,
        own: Callable[[], EngineRecord | None] = lambda: None,
        api_key: Callable[[EngineRecord], str | None] = lambda record: "",
        max_in_flight: int | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        observe: Callable[[ChatOutcome], None] = lambda outcome: None,
        jitter: Callable[[], float] = random.random,
        node: str = "",
    ) -> None:
        """`own`: the engine this worker is pinned to, None while it can't serve; it goes before all others.

        `api_key`: what an engine is shown, empty for nothing; None for one that must not be called.
        `max_in_flight`: calls to one engine from this process; None means the engine's slots.
        `max_answer_bytes`: of an answer, decompressed; a longer one is malformed. `observe` receives every
        outcome, on the event loop: it must not block. `jitter` draws from 0 to 1. `node`: this host as engines'
        records name it.
        """
        self._directory = directory
        self._portal = portal
        self._own = own
        self._observe = observe
        self._jitter = jitter
        self._node = node or socket.gethostname()
        self._api_key = api_key
        self._clients = EngineClients(
            api_key=lambda record: api_key(record) or "",
            max_in_flight=max_in_flight,
            max_answer_bytes=max_answer_bytes,
        )
        portal.before_close(self._clients.close)

    def ask(self, requests: Sequence[ChatRequest]) -> Iterator[ChatOutcome]:
        """See ChatModel. Raises what the directory raises while its store is away."""
        serving = {model: self._serving(model) for model in {request.model for request in requests}}
        live = () if all(serving.values()) else [record for record in self._directory.all() if record.ready]
        barred = {record.name for record in live if self._api_key(record) is None}
        unserved = [not_served(request, live, barred) for request in requests if not serving[request.model]]
        calls = [(request, serving[request.model]) for request in requests if serving[request.model]]
        return PendingCalls(self._portal, [partial(self._call, *call) for call in calls], unserved)

    def _serving(self, model: str) -> tuple[EngineRecord, ...]:
        own = self._own()
        if own is not None and own.model == model:
            return (own,)
        return tuple(record for record in self._directory.serving(model) if self._may_call(record))

    def _may_call(self, record: EngineRecord) -> bool:
        return record.reachable_from(self._node) and self._api_key(record) is not None

    async def _call(self, request: ChatRequest, engines: Sequence[EngineRecord]) -> ChatOutcome:
        progress = CallProgress()
        try:
            async with asyncio.timeout(request.timeout_s):
                outcome = await self._until_not_busy(request, engines, progress)
        except TimeoutError:
            outcome = progress.timed_out(request)
        outcome = with_exchange(outcome, request, engines)
        self._observe(outcome)
        return outcome

    async def _until_not_busy(
        self, request: ChatRequest, engines: Sequence[EngineRecord], progress: CallProgress
    ) -> ChatOutcome:
        now = asyncio.get_running_loop().time
        left_alone_until = {record.name: 0.0 for record in engines}
        for attempt in count():
            open_now = [record for record in engines if left_alone_until[record.name] <= now()]
            record = least_loaded(open_now or engines, self._in_flight, avoid=progress.engine)
            progress.engine = record.name
            try:
                return await self._try(record, request, progress)
            except EngineBusy as busy:
                progress.busy = str(busy)
                left_alone_until[record.name] = now() + busy.retry_after_s
                first_open_s = min(left_alone_until.values()) - now()
                await asyncio.sleep(max(first_open_s, backoff_s(attempt, self._jitter())))
        raise AssertionError("count() does not end")

    async def _try(self, record: EngineRecord, request: ChatRequest, progress: CallProgress) -> ChatOutcome:
        """Make one call; raises EngineBusy if the engine says so."""
        client = self._clients.of(record)
        progress.reason, progress.activity = FailureReason.BUSY, f"waited for one of {record.slots} slots"
        async with client.slot():
            progress.reason, progress.activity = FailureReason.TIMEOUT, "no answer"
            try:
                return await client.answer(record, request)
            except Exception as error:
                failure = client.failure(error, record, request)
                if failure.reason is FailureReason.BUSY:
                    raise EngineBusy(failure.detail, retry_after(error)) from error
                return failure

    def _in_flight(self, record: EngineRecord) -> int:
        return self._clients.of(record).in_flight


@dataclass
class CallProgress:
    """What a call is doing, for the sentence in case its time ends there."""

    reason: FailureReason = FailureReason.TIMEOUT
    activity: str = "no answer"
    engine: str = ""
    busy: str = ""
    """What an engine without room answered; a call that was turned away once never had its whole time."""

    def timed_out(self, request: ChatRequest) -> ChatFailure:
        """Return the failure of a call whose time ended here."""
        reason, activity = (FailureReason.BUSY, self.busy) if self.busy else (self.reason, self.activity)
        detail = f"{activity} for {request.timeout_s:g} s"
        return ChatFailure(key=request.key, reason=reason, detail=detail, engine=self.engine)


def with_exchange(outcome: ChatOutcome, request: ChatRequest, engines: Sequence[EngineRecord]) -> ChatOutcome:
    """Return the outcome with what its engine was sent, and where."""
    record = next((engine for engine in engines if engine.name == outcome.engine), None)
    if record is None:
        return outcome
    sent = {"url": record.url, "parameters": request_parameters(request, record)}
    return outcome.model_copy(update={"exchange": outcome.exchange.model_copy(update=sent)})


def backoff_s(attempt: int, draw: float) -> float:
    """Return the pause before a busy engine is tried again: 0.1 s, doubling up to 2 s, times 0.5 to 1.5."""
    return float(min(FIRST_BACKOFF_S * 2.0**attempt, LONGEST_BACKOFF_S) * (0.5 + draw))


def least_loaded(
    records: Sequence[EngineRecord], in_flight: Callable[[EngineRecord], int], avoid: str = ""
) -> EngineRecord:
    """Return the engine with the least to do per slot, by name where equal; not `avoid` if there is another.

    What its worker published last and what this process has in flight there both count.
    """
    others = [record for record in records if record.name != avoid] or records

    def load(record: EngineRecord) -> tuple[float, str]:
        calls = record.in_flight + record.waiting + in_flight(record)
        return calls / max(record.slots, 1), record.name

    return min(others, key=load)


def not_served(
    request: ChatRequest, live: Sequence[EngineRecord], barred: Collection[str] = frozenset()
) -> ChatFailure:
    """Return the failure of a request whose model no engine serves that may be called, with what is served.

    `barred`: names of engines at addresses that no setting allows.
    """
    elsewhere = [record for record in live if record.model == request.model]
    if elsewhere and all(record.name in barred for record in elsewhere):
        urls = ", ".join(sorted({record.url for record in elsewhere}))
        detail = f"{request.model} is served by {urls}, which this process may not call: {ALLOW_IT}"
        # No wait mends a setting, so it costs its agent alone.
        return ChatFailure(key=request.key, reason=FailureReason.REFUSED, detail=detail)
    if elsewhere:
        hosts = ", ".join(sorted({record.node for record in elsewhere}))
        detail = (
            f"{request.model} is served only on the loopback address of {hosts}: "
            "start that worker with a host that other nodes reach"
        )
    else:
        models = Counter(record.model for record in live)
        served = ", ".join(f"{model} ({engines})" for model, engines in sorted(models.items()))
        detail = f"no live engine serves {request.model}; served now: {served or 'nothing'}"
    return ChatFailure(key=request.key, reason=FailureReason.NOT_SERVED, detail=detail)
