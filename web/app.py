"""The page as an ASGI application over ports."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from domain.rights import Right
from web.api.chat_completions import completion_routes
from web.api.commands import command_routes
from web.api.routes import api_routes
from web.listing import Listing
from web.live import LiveEvents
from web.mcp_door import McpDoor
from web.options import WebOptions
from web.pages.actions import action_routes
from web.pages.approve import approval_routes
from web.pages.comparison import comparison_routes
from web.pages.councils import council_routes
from web.pages.deliberation_list import deliberation_list_routes
from web.pages.deliberations import deliberation_routes
from web.pages.judge import judge_routes
from web.pages.login import login_routes
from web.pages.system import system_routes
from web.ports import WebPorts
from web.problems import away, problem
from web.security.bearer import BearerTokens
from web.security.body_limit import BodyLimit
from web.security.caller_limits import CallerLimits
from web.security.guard import Guard
from web.security.headers import SecurityHeaders
from web.security.proxy import Proxies
from web.security.rights import needs
from web.security.sessions import Sessions
from web.streams import stream_routes
from web.system import SystemLooks
from web.whole_list import WholeList

STATIC = Path(__file__).parent / "static"


def make_app(
    ports: WebPorts,
    options: WebOptions,
    *,
    version: str,
    default_model: str = "",
    outages: tuple[type[Exception], ...] = (),
    denials: tuple[type[Exception], ...] = (),
    now: Callable[[], float] = time.time,
) -> FastAPI:
    """Put the page together.

    `outages` are what ports raise while their store is away, `denials` what they raise where the page's own login
    may not do something; `now` times logins, tokens and limits alone.
    """
    listing, live = Listing(ports), LiveEvents(ports.feed)
    rows = WholeList(ports, listing)
    limits = CallerLimits(options, now)
    mcp = McpDoor(ports, limits, version=version, outages=outages)
    app = FastAPI(
        title="Conclave",
        version=version,
        docs_url=None,  # FastAPI's own pages of documentation load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # its route would take no right; the one below does
        lifespan=lambda _: _running(live, mcp),
    )
    app.state.limits = limits
    app.state.stopping = ports.stopping
    sessions, proxies = Sessions(options, now), Proxies(options)
    looks = SystemLooks(ports, default_model=default_model, denials=denials)
    app.include_router(stream_routes(ports, live))
    app.include_router(deliberation_list_routes(ports, rows))
    app.include_router(deliberation_routes(ports, listing, options))
    app.include_router(approval_routes(ports))
    app.include_router(comparison_routes(ports))
    app.include_router(action_routes(ports))
    app.include_router(judge_routes(ports, listing))
    app.include_router(command_routes(ports))
    app.include_router(council_routes(ports, default_model))
    app.include_router(system_routes(ports, looks))
    app.include_router(login_routes(options, sessions, proxies, now))
    app.include_router(api_routes(ports, rows, looks, default_model))
    app.include_router(completion_routes(ports, outages))
    app.include_router(mcp.routes)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_api_route(
        "/api/openapi.json",
        lambda: JSONResponse(app.openapi()),
        dependencies=[needs(Right.READ)],
        include_in_schema=False,
    )
    app.add_api_route("/healthz", _healthy, include_in_schema=False)
    app.add_api_route("/favicon.ico", _mark, include_in_schema=False)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    for outage in outages:
        app.add_exception_handler(outage, lambda request, _: away(request))
    for denial in denials:
        app.add_exception_handler(denial, _denied)
    tokens = BearerTokens(ports.access_tokens, now)
    app.add_middleware(BodyLimit)  # behind the guard: who is not let in sends nothing
    app.add_middleware(Guard, options=options, sessions=sessions, tokens=tokens, proxies=proxies, outages=outages)
    app.add_middleware(SecurityHeaders)  # the outermost: what the guard refuses has them too
    return app


@asynccontextmanager
async def _running(live: LiveEvents, mcp: McpDoor) -> AsyncIterator[None]:
    async with live.running(), mcp.running():
        yield


def _healthy() -> Response:
    return PlainTextResponse("ok")


def _mark() -> Response:
    """Return what browsers ask for beside a text."""
    return FileResponse(STATIC / "mark.svg", media_type="image/svg+xml")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = problem(request, error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where, *names = map(str, first["loc"])
    if where != "body":
        return problem(request, 400, "A part of the address can't be understood.")
    return problem(request, 400, f"The body can't be understood: {'.'.join(names) or 'it'}: {first['msg']}")


def _denied(request: Request, error: Exception) -> Response:
    return problem(
        request, 503, "The page's own login may not do this in the store. docs/security.md says which may."
    )
