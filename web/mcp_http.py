"""MCP's application for HTTP, whose callers are those that the page's guard has let in."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request

from domain.rights import Right
from web.mcp_server import make_mcp_server
from web.ports import WebPorts
from web.security.caller_limits import CallerLimits, TooOften
from web.security.rights import Caller, refusal


def make_mcp_app(
    ports: WebPorts, limits: CallerLimits, *, version: str, outages: tuple[type[Exception], ...]
) -> Starlette:
    """Return the application; its lifespan must run while it serves."""

    def caller_of(context: Context[Any, Request], right: Right) -> Caller:
        request = context.request_context.request
        assert request is not None  # there is none on standard input alone
        caller: Caller = request.state.caller
        if not caller.may(right):
            raise ToolError(refusal(caller, right))
        try:
            limits.count(caller, right)
        except TooOften as error:
            raise ToolError(error.detail) from error
        return caller

    server = make_mcp_server(ports, caller_of=caller_of, version=version, outages=outages)
    # The guard looks at Host and Origin of every request; it knows under which names the page is served.
    checked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return server.streamable_http_app(stateless_http=True, transport_security=checked)
