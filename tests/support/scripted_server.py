"""The scripted engine's routes: OpenAI's, vLLM's, and `/_scripted` for tests in other processes."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.support.script import Script
from tests.support.scripted_answers import Body, is_ready_check, seed_of

STATUSES = {"400": 400, "429": 429, "500": 500, "503": 503}
SCRIPT = web.AppKey("SCRIPT", Script)


def application(script: Script) -> web.Application:
    """The routes over one script."""
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[_admit])
    app[SCRIPT] = script
    app.router.add_get("/health", _health)
    app.router.add_get("/v1/models", _models)
    app.router.add_post("/v1/chat/completions", _chat)
    app.router.add_post("/tokenize", _tokenize)
    app.router.add_post("/apply-template", _apply_template)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/_scripted/requests", _requests)
    app.router.add_get("/_scripted/given", _given)
    app.router.add_post("/_scripted/faults", _steer)
    return app


@web.middleware
async def _admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    key = request.app[SCRIPT].key
    if key and request.path.startswith("/v1") and request.headers.get("Authorization") != f"Bearer {key}":
        return _error(401, "Unauthorized")
    return await handler(request)


async def _health(request: web.Request) -> web.Response:
    script = request.app[SCRIPT]
    if script.health == "hang":
        await asyncio.Event().wait()
    loading = time.monotonic() - script.started < script.ready_after_s
    return web.Response(status=503 if loading else 500 if script.health == "500" else 200)


async def _models(request: web.Request) -> web.Response:
    script = request.app[SCRIPT]
    if not script.lists_models:
        return _error(404, "Not Found")
    card = {"id": script.model, "object": "model", "owned_by": "test", "max_model_len": script.context_length}
    return web.json_response({"object": "list", "data": [card]})


async def _chat(request: web.Request) -> web.StreamResponse:
    due = asyncio.get_running_loop().time() + request.app[SCRIPT].latency_s
    script, body = request.app[SCRIPT], await request.json()
    if is_ready_check(body) and body.get("model") == script.model:
        return web.json_response(_completion(script, script.say(body, "ok"), "ok", 1, 0))
    _note(script, request, body)
    script.in_flight += 1
    script.max_in_flight = max(script.max_in_flight, script.in_flight)
    try:
        return await _answer(request, script, body, due)
    except asyncio.CancelledError:
        script.cancelled += 1
        raise
    finally:
        script.in_flight -= 1


def _note(script: Script, request: web.Request, body: Body) -> None:
    script.count += 1
    if script.remembers:
        script.bodies.append(body)
        script.traceparents.append(request.headers.get("traceparent", ""))
        script.connections.add(id(request.transport))
        script.keys.add(request.headers.get("Authorization", ""))


async def _answer(request: web.Request, script: Script, body: Body, due: float) -> web.StreamResponse:
    fault = script.fault_for(body)
    if script.limit is not None and script.in_flight > script.limit:
        fault = "503"
    script.faults.update([] if fault == "ok" else [fault])
    if fault in STATUSES:
        return _error(STATUSES[fault], f"scripted {fault}")
    if body.get("model") != script.model:
        return _error(404, f"The model `{body.get('model')}` does not exist.")
    prompt = _prompt(body["messages"])
    words, most = len(prompt.split()), int(body.get("max_completion_tokens") or body.get("max_tokens") or 16)
    if words + most > script.context_length:
        return _error(400, f"This model's maximum context length is {script.context_length} tokens.")
    cached = script.cached(prompt)
    if fault == "hang":
        await asyncio.Event().wait()
    text = script.say(body, fault)
    answer = web.json_response(_completion(script, text, fault, words, cached))
    # What making up the answer took is part of the latency, not on top of it.
    await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
    if fault == "garbage":
        return web.Response(text='{"choices": [{"mess', content_type="application/json")
    if fault == "ok" and script.remembers:
        script.answered[seed_of(body)] += 1
    if fault == "disconnect":
        return await _half(request, answer)
    if script.remembers:
        script.given.append((prompt, text))
    return answer


def _completion(script: Script, text: str, fault: str, words: int, cached: int) -> Body:
    said = max(1, len(text.split()))
    script.totals["prompt"] += words
    script.totals["generated"] += said
    return {
        "id": f"chatcmpl-{script.count}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": script.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "length" if fault == "length" else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": words,
            "completion_tokens": said,
            "total_tokens": words + said,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


async def _half(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Send the first half of an answer and drop the connection."""
    data = whole.body
    assert isinstance(data, bytes)
    part = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(data))})
    await part.prepare(request)
    await part.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.abort()
    return part


async def _tokenize(request: web.Request) -> web.Response:
    script, body = request.app[SCRIPT], await request.json()
    script.counted += 1
    text = _prompt(body["messages"]) if "messages" in body else body.get("content", "")
    count = len(text.split())
    return web.json_response(
        {"count": count, "max_model_len": script.context_length, "tokens": list(range(count))}
    )


async def _apply_template(request: web.Request) -> web.Response:
    return web.json_response({"prompt": _prompt((await request.json())["messages"])})


async def _metrics(request: web.Request) -> web.Response:
    script = request.app[SCRIPT]
    label = f'{{model_name="{script.model}"}}'
    values = {
        "num_requests_running": script.in_flight,
        "num_requests_waiting": script.waiting,
        "kv_cache_usage_perc": 0.0,
        "prefix_cache_queries_total": script.totals["queries"],
        "prefix_cache_hits_total": script.totals["hits"],
        "prompt_tokens_total": script.totals["prompt"],
        "generation_tokens_total": script.totals["generated"],
    }
    return web.Response(text="".join(f"vllm:{name}{label} {value}\n" for name, value in values.items()))


async def _requests(request: web.Request) -> web.Response:
    """What was asked so far, and how this process was launched."""
    script = request.app[SCRIPT]
    seen: dict[str, Any] = {
        "count": script.count,
        "in_flight": script.in_flight,
        "max_in_flight": script.max_in_flight,
        "cancelled": script.cancelled,
        "connections": len(script.connections),
        "bodies": script.bodies,
        "faults": script.faults,
        "answered": script.answered.total(),
        "answered_again": script.answered.total() - len(script.answered),
        "pid": os.getpid(),
        "argv": sys.argv[1:],
        "environment": {key: os.environ.get(key) for key in ("CUDA_VISIBLE_DEVICES",)},
    }
    return web.json_response(seen)


async def _given(request: web.Request) -> web.Response:
    """Every prompt that got a whole answer, with the answer's text."""
    return web.json_response(request.app[SCRIPT].given)


async def _steer(request: web.Request) -> web.Response:
    """Take any of `queue` (appended), `shares`, `seed`, `latency_s`, `limit`, `health`."""
    script, said = request.app[SCRIPT], await request.json()
    script.queue.extend(said.pop("queue", ()))
    if "seed" in said:
        script.dice = random.Random(said.pop("seed"))
    for name in ("shares", "latency_s", "limit", "health"):
        if name in said:
            setattr(script, name, said.pop(name))
    return _error(400, f"unknown: {', '.join(said)}") if said else web.json_response({})


def _prompt(messages: list[Body]) -> str:
    return "\n".join(str(message["content"]) for message in messages)


def _error(status: int, message: str) -> web.Response:
    told = {"error": {"message": message, "type": "scripted", "param": None, "code": status}}
    return web.json_response(told, status=status)
