"""The MCP server as a running process: the protocol on standard input and output, logs on standard error."""

from __future__ import annotations

import asyncio
from importlib.metadata import version

from redis.exceptions import RedisError

from domain.rights import ALL
from web.mcp_server import make_mcp_server
from web.security.rights import Caller
from workers import logs
from workers.settings import Settings
from workers.web_process import web_ports


def serve_mcp(settings: Settings, *, user: str) -> None:
    """Serve the tools until standard input ends; questions and verdicts come from `user`."""
    logs.configure(level=settings.log_level, as_json=settings.log_json)
    asyncio.run(_serve(settings, user))


async def _serve(settings: Settings, user: str) -> None:
    caller = Caller(user, ALL)  # the program that started this process could use the commands as well
    server = make_mcp_server(
        web_ports(settings),
        caller_of=lambda _context, _right: caller,
        version=version("conclave-council"),
        outages=(RedisError,),
    )
    await server.run_stdio_async()
