"""One engine's HTTP interface within one process: a call, and the check that it fits the context beforehand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from aiohttp import ClientError

from domain.chat import ChatAnswer, ChatFailure, ChatRequest, FailureReason, Message
from domain.engine import EngineKind, EngineRecord
from workers.adapters.openai.completion import Completion
from workers.adapters.openai.engine_http import EngineHttp, ErrorStatus
from workers.engines.engine import turns
from workers.engines.guided_decoding import GUIDED_DECODINGS
from workers.engines.kinds import ENGINES

TEMPLATE_TOKENS = 64
"""A chat template's own words, a default system prompt among them."""
TOKENS_A_TURN = 16
"""The marks a template puts round one turn."""
BYTES_A_TOKEN = 2
"""A cautious guess where nobody can count: English has four and more, Chinese in UTF-8 two to three."""


class EngineClient:
    """Calls one engine. Used on one event loop only."""

    def __init__(self, kind: EngineKind, http: EngineHttp, *, slots: int) -> None:
        """`slots`: calls in flight at once; 0 sets no bound."""
        self.in_flight = 0
        """Calls under way here, those that wait for a slot among them."""
        self._slots = asyncio.Semaphore(slots) if slots else nullcontext()
        self._http = http
        self._engine = ENGINES[kind]

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait until one more call may be in flight, and hold its place."""
        self.in_flight += 1
        try:
            async with self._slots:
                yield
        finally:
            self.in_flight -= 1

    async def answer(self, record: EngineRecord, request: ChatRequest) -> ChatAnswer | ChatFailure:
        """Make one call, bounded by its caller alone. Raises as EngineHttp does, ValueError for no answer."""
        too_long = await self._too_long(record, request)
        if too_long:
            return ChatFailure(
                key=request.key, reason=FailureReason.CONTEXT_EXCEEDED, detail=too_long, engine=record.name
            )
        started = time.monotonic()
        completion = await self._complete(record, request)
        return _outcome(record, request, completion, (time.monotonic() - started) * 1000)

    async def _complete(self, record: EngineRecord, request: ChatRequest) -> Completion:
        form, notation = request.form, GUIDED_DECODINGS[record.guidance]
        bound = request.max_tokens if form is None else notation.max_tokens(form, request.max_tokens)
        body = {
            "model": request.model,
            "messages": turns(request.messages),
            "max_tokens": bound,
            "temperature": request.temperature,
            **({} if request.seed is None else {"seed": request.seed}),
            **({} if form is None else notation.fields(form)),
        }
        # vLLM continues the trace that it is told of.
        headers = {"traceparent": request.traceparent} if request.traceparent else {}
        return Completion.model_validate_json(await self._http.post("/chat/completions", body, headers))

    async def _too_long(self, record: EngineRecord, request: ChatRequest) -> str:
        """Say with numbers how a request exceeds the context; empty if it fits, or nobody knows."""
        room = record.context_length - request.max_tokens
        if not record.context_length or most_tokens(request.messages) <= room:
            return ""
        counted = await self._count(request)
        tokens = likely_tokens(request.messages) if counted is None else counted
        about = "about " if counted is None else ""
        return (
            ""
            if tokens <= room
            else (
                f"{about}{tokens} tokens of prompt and {request.max_tokens} of answer exceed the context of "
                f"{record.context_length} that {record.name} serves {request.model} with"
            )
        )

    async def _count(self, request: ChatRequest) -> int | None:
        try:
            return await self._engine.count_tokens(self._post, request.model, request.messages)
        except (ErrorStatus, ClientError, OSError, LookupError, TypeError, ValueError):
            return 0  # The engine should have counted and didn't: it will judge the prompt itself.

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return json.loads(await self._http.post_to_root(path, body))


def most_tokens(messages: Sequence[Message]) -> int:
    """Bound a prompt's tokens from above without a tokenizer: none is shorter than a byte."""
    return sum(len(message.content.encode()) for message in messages) + _marks(messages)


def likely_tokens(messages: Sequence[Message]) -> int:
    """Estimate a prompt's tokens, rather too many than too few."""
    return sum(len(message.content.encode()) for message in messages) // BYTES_A_TOKEN + _marks(messages)


def _marks(messages: Sequence[Message]) -> int:
    return TEMPLATE_TOKENS + TOKENS_A_TURN * len(messages)


def _outcome(
    record: EngineRecord, request: ChatRequest, completion: Completion, duration_ms: float
) -> ChatAnswer | ChatFailure:
    if not completion.text.strip():
        reason, said = FailureReason.EMPTY, "the model said nothing"
        if completion.cut_off:
            reason, said = FailureReason.CUT_OFF, f"the model said nothing within {request.max_tokens} tokens"
        return ChatFailure(key=request.key, reason=reason, detail=said, engine=record.name)
    form, text = request.form, completion.text
    return ChatAnswer(
        key=request.key,
        model=completion.model or request.model,
        engine=record.name,
        text=text if form is None else GUIDED_DECODINGS[record.guidance].compact(text, form),
        cut_off=completion.cut_off,
        prompt_tokens=completion.usage.prompt_tokens,
        cached_tokens=completion.usage.cached_tokens,
        completion_tokens=completion.usage.completion_tokens,
        duration_ms=duration_ms,
    )
