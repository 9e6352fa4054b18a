"""The door before every route: this page's own host and origin, and somebody who has logged in."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web.options import WebOptions
from web.problems import problem
from web.security.rights import LOCAL, NOBODY, Caller
from web.security.sessions import COOKIE, Sessions

OPEN_PATHS = frozenset({"/login", "/logout", "/healthz", "/favicon.ico"})
OPEN_FOLDER = "/static/"
PROGRAMS = "/v1/"
"""Routes that no page of ours calls."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses what it does not let through; `request.state.caller` says who comes, and what that caller may do."""

    def __init__(self, app: ASGIApp, *, options: WebOptions, sessions: Sessions) -> None:
        self.app = app
        self._options = options
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        caller = self._caller(request)
        scope.setdefault("state", {})["caller"] = caller or NOBODY
        refusal = self._refusal(request, caller)
        await (refusal or self.app)(scope, receive, send)

    def _caller(self, request: Request) -> Caller | None:
        if not self._sessions.required:
            return LOCAL
        user = self._sessions.user_of(request.cookies.get(COOKIE, ""))
        return Caller(user, self._options.rights_of(user)) if user else None

    def _refusal(self, request: Request, caller: Caller | None) -> Response | None:
        if not self._names_us(request):
            return PlainTextResponse(
                "This page is not served under that name; CONCLAVE_WEB_ORIGIN can name it.", status_code=421
            )
        if request.method not in SAFE_METHODS and not (self._is_from_here(request) or _is_from_a_program(request)):
            return PlainTextResponse("A form of another page was refused.", status_code=403)
        path = request.url.path
        if caller or path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return None
        if path.startswith((PROGRAMS, "/api/")):
            return problem(request, 401, "log in first")
        return RedirectResponse(f"/login?next={quote(_target(request), safe='')}", status_code=303)

    def _names_us(self, request: Request) -> bool:
        served = self._options.served_hosts
        return served is None or request.headers.get("host", "").lower() in served

    def _is_from_here(self, request: Request) -> bool:
        """Whether a page of ours sent the form: browsers say so, and what they say no page can change."""
        origin = request.headers.get("origin", "").lower()
        if not origin:
            return request.headers.get("sec-fetch-site") == "same-origin"
        if self._options.origin:
            return origin == self._options.origin
        return urlsplit(origin).netloc == request.headers.get("host", "").lower()


def _is_from_a_program(request: Request) -> bool:
    """Whether it came to a route for programs alone, and from no browser, which would name the page it shows."""
    by_browser = {"origin", "sec-fetch-site", "cookie"} & set(request.headers.keys())
    return request.url.path.startswith(PROGRAMS) and not by_browser


def _target(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
