"""How much a request may bring: what reads a body whole must not be made to fill the memory."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import problem

MOST_BYTES = 4 * 1024 * 1024
"""Above the bounds of every form and program's route, which are narrower."""
TOO_LONG = f"this is longer than {MOST_BYTES} bytes; shorten it"


class BodyLimit:
    """Refuses what says that it is longer, and stops reading what turns out to be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        said = request.headers.get("content-length", "")
        if said.isdecimal() and (len(said) > 20 or int(said) > MOST_BYTES):
            await problem(request, 413, TOO_LONG)(scope, receive, send)
            return
        read = 0

        async def receive_bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:
                raise HTTPException(413, TOO_LONG)
            return message

        await self.app(scope, receive_bounded, send)
