"""Calls to engines through OpenAI's Python client: slots, the check that a prompt fits, one call.

The client's low-level `post` sends a body and returns the answer's bytes: building its typed objects would cost as
much processor time again as the call.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import httpx2
from openai import AsyncOpenAI, Omit, OpenAIError

from domain.chat import ChatAnswer, ChatFailure, ChatRequest, FailureReason, Message
from domain.engine import EngineKind, EngineRecord
from workers.adapters.openai.completion import read_answer
from workers.adapters.openai.failures import UnreadableAnswer, reason_of, without_quotation
from workers.adapters.openai.http_client import open_client
from workers.adapters.openai.request import (
    asks_probabilities,
    most_prompt_tokens,
    request_body,
    thinking_fields,
    token_bound,
    without_probabilities,
)
from workers.adapters.openai.thoughts import opens_thought
from workers.engines.engine import turns
from workers.engines.kinds import ENGINES


class EngineClients:
    """The clients of a process, each made once, over shared pools; used on that process's event loop only."""

    def __init__(
        self, *, api_key: Callable[[EngineRecord], str], max_in_flight: int | None, max_answer_bytes: int
    ) -> None:
        """See OpenAIChatModel for the three."""
        self._api_key = api_key
        self._max_in_flight = max_in_flight
        self._max_answer_bytes = max_answer_bytes
        # By process id: a forked child must neither use nor close what its parent opened.
        self._openai: dict[tuple[int, bool], AsyncOpenAI] = {}
        self._clients: dict[tuple[int, str], EngineClient] = {}

    def of(self, record: EngineRecord) -> EngineClient:
        """Return the client of that engine's address."""
        key = os.getpid(), record.url
        if key not in self._clients:
            self._clients[key] = self._make(record)
        return self._clients[key]

    async def close(self) -> None:
        """Close this process's connections; a later call opens new ones."""
        pid = os.getpid()
        for key in [key for key in self._openai if key[0] == pid]:
            await self._openai.pop(key).close()
        self._clients = {key: client for key, client in self._clients.items() if key[0] != pid}

    def _make(self, record: EngineRecord) -> EngineClient:
        openai = self._shared(outside=record.kind is EngineKind.EXTERNAL)
        slots = record.slots if self._max_in_flight is None else self._max_in_flight
        return EngineClient(openai, record, api_key=self._api_key(record), slots=slots)

    def _shared(self, *, outside: bool) -> AsyncOpenAI:
        key = os.getpid(), outside
        if key not in self._openai:
            self._openai[key] = open_client(proxies=outside, max_answer_bytes=self._max_answer_bytes)
        return self._openai[key]


class EngineClient:
    """Calls one engine. Used on one event loop only."""

    def __init__(self, openai: AsyncOpenAI, record: EngineRecord, *, api_key: str, slots: int) -> None:
        """`api_key`: empty for none. `slots`: calls in flight at once; 0 sets no bound."""
        self.in_flight = 0
        """Calls under way here, those that wait for a slot among them."""
        self.refuses_probabilities = False
        """Whether the engine turned down a request for them that it then answered without."""
        self._slots = asyncio.Semaphore(slots) if slots else nullcontext()
        self._openai = openai
        self._url = record.url.rstrip("/")
        self._key = api_key
        self._authorization = {"Authorization": f"Bearer {api_key}" if api_key else Omit()}
        self._engine = ENGINES[record.kind]

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
        """Make one call, bounded by its caller alone, and never again.

        Raises OpenAIError, UnreadableAnswer, ErrorUnderOk, and ValueError for what is no chat completion.
        """
        excess = await self._excess(record, request)
        if excess:
            return ChatFailure(
                key=request.key, reason=FailureReason.CONTEXT_EXCEEDED, detail=excess, engine=record.name
            )
        # vLLM continues the trace that it is told of.
        headers = {"traceparent": request.traceparent} if request.traceparent else {}
        started = time.monotonic()
        data = await self._completion(request, self._with_refusal(record), headers)
        return read_answer(data, request, record, (time.monotonic() - started) * 1000)

    async def _completion(self, request: ChatRequest, record: EngineRecord, headers: Mapping[str, str]) -> bytes:
        """Ask; an engine that refuses to tell probabilities is asked again without, and not for them any more."""
        url = f"{self._url}/chat/completions"
        try:
            return await self._post(url, request_body(request, record), headers)
        except OpenAIError as error:
            if not asks_probabilities(request, record) or reason_of(error)[0] is not FailureReason.REFUSED:
                raise
            data = await self._post(url, request_body(request, without_probabilities(record)), headers)
            self.refuses_probabilities = True
            return data

    def _with_refusal(self, record: EngineRecord) -> EngineRecord:
        return without_probabilities(record) if self.refuses_probabilities else record

    def failure(self, error: Exception, record: EngineRecord, request: ChatRequest) -> ChatFailure:
        """Say why `answer` raised; the sentence quotes neither the key nor the prompt."""
        reason, detail = reason_of(error)
        prompt = [message.content for message in request.messages]
        words = without_quotation(detail, key=self._key, prompt=prompt)
        return ChatFailure(key=request.key, reason=reason, detail=words, engine=record.name)

    async def begins_thinking(self, record: EngineRecord, messages: Sequence[Message], *, thinks: bool) -> bool:
        """Whether the chat template opens a thought at the prompt's end; False where the engine can't show it."""
        fields = thinking_fields(record.dialect, thinks=thinks)
        told = turns(messages, system_turn=record.dialect.system_turn)
        try:
            prompt = await self._engine.rendered_prompt(self._post_to_root, record.model, told, fields)
        except (OpenAIError, UnreadableAnswer, LookupError, TypeError, ValueError):
            return False
        return prompt is not None and opens_thought(prompt)

    async def _excess(self, record: EngineRecord, request: ChatRequest) -> str:
        """Say with numbers how a request exceeds the context; empty if it fits.

        A guess refuses nothing: where the engine can't count, it judges the prompt itself.
        """
        bound = token_bound(request, record)
        room = record.context_length - bound
        if not record.context_length or most_prompt_tokens(request.messages) <= room:
            return ""
        tokens = await self._count(request)
        if tokens is None or tokens <= room:
            return ""
        return (
            f"{tokens} tokens of prompt and {bound} of answer exceed the context of "
            f"{record.context_length} that {record.name} serves {request.model} with"
        )

    async def _count(self, request: ChatRequest) -> int | None:
        try:
            return await self._engine.count_tokens(self._post_to_root, request.model, request.messages)
        except (OpenAIError, UnreadableAnswer, LookupError, TypeError, ValueError):
            return None

    async def _post_to_root(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post to a path beside the API, where engines keep what is their own."""
        return json.loads(await self._post(self._url.removesuffix("/v1") + path, body, {}))

    async def _post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
        response = await self._openai.post(
            url, cast_to=httpx2.Response, body=body, options={"headers": {**self._authorization, **headers}}
        )
        return response.content
