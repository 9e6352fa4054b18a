"""Server-sent events: what programs read event by event, and what tells a page to fetch itself anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import FeedAway
from domain.feed import FedEvent
from domain.rights import Right
from web.live import LiveEvents, Wanted
from web.loading import loaded
from web.ports import WebPorts
from web.security.rights import needs
from web.stopping import LAST_WORDS_S, Stopping

PING_S = 15
"""Shorter than what proxies wait for a byte."""
PAUSE_S = 0.3
"""Between two fetches of a page, however many events come."""
EARLIER_S = 60.0
"""The message system's clock may be so far behind the store's."""
OPEN_S = 300.0
"""A stream ends then: its reader comes again by itself, and only with a login or token that still holds."""


def stream_routes(ports: WebPorts, live: LiveEvents) -> APIRouter:
    """Return the routes that stay open."""
    routes = APIRouter(dependencies=[needs(Right.READ)])

    @routes.get(
        "/api/deliberations/{deliberation_id}/events",
        summary="Follow one deliberation",
        description="Server-sent events: `event` is the type, `data` the body as in docs/events.md, `id` a place. "
        "They begin with the first one, or behind `Last-Event-ID`. After five minutes the stream ends: "
        "come again.",
        response_class=EventSourceResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def events(request: Request, deliberation_id: str) -> Response:
        record = await run_in_threadpool(loaded, ports, deliberation_id)
        earliest = await _first_since(ports, record.deliberation.opened_at - EARLIER_S)
        first = await go_on(live, _behind_last(request), earliest)
        return _stream(_each(live, first, about(deliberation_id)), ports.stopping)

    @routes.get("/deliberations/events", include_in_schema=False)
    async def any_changes(request: Request) -> Response:
        return _stream(changes(live, _behind_last(request), lambda event: True), ports.stopping)

    @routes.get("/deliberations/{deliberation_id}/events", include_in_schema=False)
    async def changes_of_one(request: Request, deliberation_id: str) -> Response:
        return _stream(changes(live, _behind_last(request), about(deliberation_id)), ports.stopping)

    return routes


def about(deliberation_id: str) -> Wanted:
    """Choose the events about one deliberation."""
    return lambda event: event.body.deliberation_id == deliberation_id


async def go_on(live: LiveEvents, behind_last: int | None, earliest: int) -> int:
    """Return where a reader goes on: nowhere before its deliberation began, whatever place it names."""
    if behind_last is None or behind_last > await live.position():  # that one is of a stream that is lost
        return earliest
    return max(behind_last, earliest)


async def changes(live: LiveEvents, first: int | None, wanted: Wanted) -> AsyncGenerator[ServerSentEvent, None]:
    """Yield that there is something new.

    At once to a page that has just come, since it was made a moment ago, and to one that was away for longer than
    memory lasts: it fetches itself, so that nothing has to be read back.
    """
    if first is None or not await live.keeps(first):
        first = await live.position()
        yield ServerSentEvent(event="changed", id=str(first - 1), data="")
    async for events in live.follow(first, wanted):
        yield ServerSentEvent(event="changed", id=str(events[-1].sequence), data="")
        await asyncio.sleep(PAUSE_S)


async def until(
    events: AsyncGenerator[ServerSentEvent, None], seconds: float, stopping: Stopping
) -> AsyncGenerator[ServerSentEvent, None]:
    """Yield what comes within that time and before the process is to end, then close."""
    clock = asyncio.get_running_loop().time
    ends = clock() + seconds
    async with aclosing(events):
        while clock() < ends and not stopping.begun:
            try:
                async with stopping.wait_until(ends):
                    event = await anext(events)
            except (TimeoutError, StopAsyncIteration):
                return
            yield event


async def _each(live: LiveEvents, first: int, wanted: Wanted) -> AsyncGenerator[ServerSentEvent, None]:
    async for events in live.follow(first, wanted):
        for event in events:
            yield _sent(event)


def _sent(event: FedEvent) -> ServerSentEvent:
    return ServerSentEvent(
        event=event.body.event_type, id=str(event.sequence), data=event.body.model_dump_json(by_alias=True)
    )


def _behind_last(request: Request) -> int | None:
    """Return the place to go on at, as a browser or program says that was cut off."""
    last = request.headers.get("last-event-id", "")
    return int(last) + 1 if last.isascii() and last.isdigit() and len(last) < 20 else None


async def _first_since(ports: WebPorts, moment: float) -> int:
    try:
        return await ports.feed.start(moment)
    except FeedAway as error:
        raise HTTPException(503, "Events can't be read now. Try again in a moment.") from error


def _stream(events: AsyncGenerator[ServerSentEvent, None], stopping: Stopping) -> Response:
    return EventSourceResponse(
        until(events, OPEN_S, stopping),
        ping=PING_S,
        headers={"X-Accel-Buffering": "no"},
        shutdown_grace_period=LAST_WORDS_S,
    )
