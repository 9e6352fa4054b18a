"""Councils behind OpenAI's API: `council:DEV` is a model, the last message of the user is the question.

Progress is streamed as `reasoning_content`, which chat programs show as thoughts, so that `content` is the answer
alone. Shapes are those of https://platform.openai.com/docs/api-reference/chat.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from pydantic import ValidationError
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.errors import RequestRefused, RequestUndelivered
from domain.rights import Right
from domain.views.told import told
from web.answers import DecisionAnswer
from web.api.chat_request import PREFIX, ChatRequest, usage_of
from web.api.openai_error import openai_error
from web.asking import Asked, NoAnswerInTime, NoSuchCouncil, answer_of, ask, events
from web.ports import WebPorts
from web.security.caller_limits import COUNTED_APPROVAL
from web.security.rights import needs
from web.stopping import LAST_WORDS_S

MOST_BYTES = 2 * 1024 * 1024
PING_S = 15
"""Between comments in a silent stream, so that no proxy takes it for dead."""
STORE_AWAY = "the store does not answer; `conclave doctor` says why"
NO_RETRY = {"x-should-retry": "false"}
"""Has OpenAI's clients not ask again by themselves, which would start another deliberation."""


class Refusal(Exception):
    """Why there is no answer, as OpenAI's clients read it."""

    def __init__(self, status: int, code: str, sentence: str, deliberation_id: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.body = openai_error(sentence, status, code, deliberation_id)

    @property
    def response(self) -> Response:
        return JSONResponse(self.body, status_code=self.status, headers=NO_RETRY)


def completion_routes(ports: WebPorts, outages: tuple[type[Exception], ...]) -> APIRouter:
    """Return the routes; `outages` are what ports raise while their store is away."""
    routes = APIRouter(prefix="/v1", include_in_schema=False)

    @routes.get("/models", dependencies=[needs(Right.READ)])
    async def list_models() -> Response:
        try:
            councils = await to_thread.run_sync(ports.councils.all)
        except outages:
            return Refusal(503, "away", STORE_AWAY).response
        rows = [_model(f"{PREFIX}{council.role}") for council in councils]
        return JSONResponse({"object": "list", "data": rows})

    @routes.post("/chat/completions", dependencies=[needs(Right.APPROVE), COUNTED_APPROVAL])
    async def complete(request: Request) -> Response:
        try:
            wanted = await _read(request)
            asked = await _ask(wanted, request.state.caller.name, ports, outages)
            if wanted.stream:
                chunks = _chunks(wanted, asked, ports, outages)
                return EventSourceResponse(chunks, ping=PING_S, sep="\n", shutdown_grace_period=LAST_WORDS_S)
            async for _ in _told(asked, ports, wanted.timeout_s):
                pass
            return JSONResponse(_completion(wanted, asked, await _answer(asked, ports, outages)))
        except Refusal as refusal:
            return refusal.response

    return routes


async def _read(request: Request) -> ChatRequest:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refusal(413, "too_long", f"the request is longer than {MOST_BYTES} bytes; shorten it")
    try:
        return ChatRequest.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Refusal(400, "invalid_request", f"{where}: {first['msg']}") from error


async def _ask(wanted: ChatRequest, user: str, ports: WebPorts, outages: tuple[type[Exception], ...]) -> Asked:
    if not wanted.model.startswith(PREFIX):
        raise Refusal(404, "model_not_found", f"a model is named {PREFIX}ROLE, as GET /v1/models lists them")
    try:
        return await ask(wanted.question(user), ports)
    except NoSuchCouncil as error:
        raise Refusal(404, "model_not_found", str(error)) from error
    except (RequestRefused, ValueError) as error:
        raise Refusal(400, "invalid_request", str(error)) from error
    except RequestUndelivered as error:
        raise Refusal(503, "away", str(error)) from error
    except outages as error:
        raise Refusal(503, "away", STORE_AWAY) from error


async def _told(asked: Asked, ports: WebPorts, within_s: float) -> AsyncGenerator[str, None]:
    """Yield a line for each event, to the end. Raises Refusal."""
    try:
        async for body in events(asked, ports, within_s):
            yield told(body)
    except NoAnswerInTime as error:
        raise Refusal(504, "not_in_time", str(error), asked.deliberation_id) from error
    except RequestRefused as error:
        raise Refusal(400, "invalid_request", str(error)) from error
    except RequestUndelivered as error:
        raise Refusal(503, "away", str(error), asked.deliberation_id) from error


async def _answer(asked: Asked, ports: WebPorts, outages: tuple[type[Exception], ...]) -> DecisionAnswer:
    try:
        answer = await answer_of(asked.deliberation_id, ports)
    except LookupError as error:
        raise Refusal(502, "no_decision", "the store has no such deliberation", asked.deliberation_id) from error
    except outages as error:
        raise Refusal(503, "away", STORE_AWAY, asked.deliberation_id) from error
    if not answer.answer:
        reason = answer.reason or "no proposal was left to rank"
        raise Refusal(502, "no_decision", f"the council did not decide: {reason}", asked.deliberation_id)
    return answer


def _completion(wanted: ChatRequest, asked: Asked, answer: DecisionAnswer) -> dict[str, Any]:
    message = {"role": "assistant", "content": _content(answer)}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return _head(wanted, asked, "chat.completion") | {
        "choices": [choice],
        "usage": _usage(answer),
        "conclave": _facts(answer),
    }


async def _chunks(
    wanted: ChatRequest, asked: Asked, ports: WebPorts, outages: tuple[type[Exception], ...]
) -> AsyncGenerator[dict[str, str], None]:
    """Yield what a stream holds. A client that goes away ends the wait, not the deliberation."""
    head = _head(wanted, asked, "chat.completion.chunk")
    try:
        yield _chunk(head, {"role": "assistant", "content": ""})
        async for line in _told(asked, ports, wanted.timeout_s):
            yield _chunk(head, {"reasoning_content": f"{line}\n"})
        answer = await _answer(asked, ports, outages)
        yield _chunk(head, {"content": _content(answer)})
        yield _chunk(head | {"conclave": _facts(answer)}, {}, finish_reason="stop")
        if wanted.stream_options and wanted.stream_options.include_usage:
            yield _data(head | {"choices": [], "usage": _usage(answer)})
    except Refusal as refusal:
        yield _data(refusal.body)
    yield {"data": "[DONE]"}


def _chunk(head: dict[str, Any], delta: dict[str, str], finish_reason: str | None = None) -> dict[str, str]:
    return _data(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def _data(value: dict[str, Any]) -> dict[str, str]:
    return {"data": json.dumps(value)}


def _head(wanted: ChatRequest, asked: Asked, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{asked.deliberation_id}",
        "object": kind,
        "created": int(asked.at),
        "model": wanted.model,
    }


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "conclave"}


def _content(answer: DecisionAnswer) -> str:
    return f"{answer.answer}\n\n## Synthesis\n\n{answer.synthesis}" if answer.synthesis else answer.answer


def _usage(answer: DecisionAnswer) -> dict[str, Any]:
    return usage_of(answer.usage.prompt_tokens, answer.usage.completion_tokens)


def _facts(answer: DecisionAnswer) -> dict[str, Any]:
    """Return what OpenAI's shape has no place for."""
    named = ("deliberation_id", "confidence", "stability", "agreement", "tied", "contested", "degraded")
    return {name: getattr(answer, name) for name in named}
