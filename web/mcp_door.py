"""The tools of `web/mcp_server.py` over HTTP, at `/mcp`, by MCP's streamable HTTP transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web.ports import WebPorts
from web.security.caller_limits import CallerLimits
from web.security.rights import BY_TOOL

MISSING = "MCP's SDK is missing here: pip install 'conclave-council[mcp]'."


class McpDoor:
    """Serves while `running`. Keeps no sessions: each request brings its token, and any process may answer it."""

    def __init__(
        self, ports: WebPorts, limits: CallerLimits, *, version: str, outages: tuple[type[Exception], ...]
    ) -> None:
        self._ports = ports
        self._limits = limits
        self._version = version
        self._outages = outages
        self._app: ASGIApp | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve meanwhile, if the SDK is installed."""
        try:
            from web.mcp_http import make_mcp_app
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "mcp":
                raise
            yield
            return
        app = make_mcp_app(self._ports, self._limits, version=self._version, outages=self._outages)
        async with app.router.lifespan_context(app):
            self._app = app
            yield
            self._app = None

    @property
    def routes(self) -> APIRouter:
        """The one route, whose tools look at the caller's rights themselves."""
        routes = APIRouter(include_in_schema=False, dependencies=[BY_TOOL])
        routes.add_api_route("/mcp", self._answer, methods=["GET", "POST", "DELETE"])
        return routes

    def _answer(self) -> Response:
        if self._app is None:
            raise HTTPException(501, MISSING)
        return _Answer(self._app)


class _Answer(Response):
    """What another application answers to the same request."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
