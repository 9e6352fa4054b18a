"""The door before every route: this page's own host and origin, and a caller with a login or a token."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web.options import WebOptions
from web.problems import away, problem
from web.security.bearer import BearerTokens, sent_token
from web.security.proxy import Proxies, UserNotBelieved
from web.security.rights import LOCAL, NOBODY, Caller
from web.security.sessions import COOKIE, Sessions

OPEN_PATHS = frozenset({"/login", "/logout", "/healthz", "/favicon.ico"})
OPEN_FOLDER = "/static/"
PROGRAMS = ("/api/", "/v1/", "/mcp")
"""Routes that take tokens."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses what it does not let through; `request.state.caller` says who comes, and what that caller may do."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        options: WebOptions,
        sessions: Sessions,
        tokens: BearerTokens,
        proxies: Proxies,
        outages: tuple[type[Exception], ...] = (),
    ) -> None:
        self.app = app
        self._options = options
        self._sessions = sessions
        self._tokens = tokens
        self._proxies = proxies
        self._outages = outages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        scope.setdefault("state", {})["caller"] = NOBODY
        try:
            caller = await self._caller(request)
        except self._outages:
            await away(request)(scope, receive, send)
            return
        except UserNotBelieved as error:
            await problem(request, 403, str(error))(scope, receive, send)
            return
        scope["state"]["caller"] = caller or NOBODY
        refusal = self._refusal(request, caller)
        await (refusal or self.app)(scope, receive, send)

    async def _caller(self, request: Request) -> Caller | None:
        if not self._options.login_required:
            return LOCAL
        by_proxy = self._proxies.user_of(request)
        token = sent_token(request)
        if token is not None and request.url.path.startswith(PROGRAMS):
            return await self._tokens.caller_of(token)
        user = by_proxy or self._sessions.user_of(request.cookies.get(COOKIE, ""))
        return Caller(user, self._options.rights_of(user), in_session=not by_proxy) if user else None

    def _refusal(self, request: Request, caller: Caller | None) -> Response | None:
        if not self._names_us(request):
            return PlainTextResponse(
                "This page is not served under that name; CONCLAVE_WEB_ORIGIN can name it.", status_code=421
            )
        if self._takes_our_origin(request) and not (
            self._is_from_here(request) or self._is_from_a_program(request)
        ):
            return PlainTextResponse("A form of another page was refused.", status_code=403)
        path = request.url.path
        if caller or path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return None
        if path.startswith(PROGRAMS):
            return _not_let_in(request)
        if not self._options.users:
            return problem(request, 401, "The proxy before this page has not said who you are. Log in there.")
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
        return origin.partition("://")[2] == request.headers.get("host", "").lower()

    def _takes_our_origin(self, request: Request) -> bool:
        """Whether it could change something; MCP asks for a look at every request."""
        return request.method not in SAFE_METHODS or request.url.path == "/mcp"

    def _is_from_a_program(self, request: Request) -> bool:
        """Whether no other page can have sent it: a browser would name that page, and a page can't know a token.

        What comes with a cookie may come from a browser by itself, whatever else it brings.
        """
        if "cookie" in request.headers or not request.url.path.startswith(PROGRAMS):
            return False
        by_token = self._options.login_required and sent_token(request) is not None
        return by_token or not {"origin", "sec-fetch-site"} & set(request.headers.keys())


def _not_let_in(request: Request) -> Response:
    if sent_token(request) is None:
        response = problem(request, 401, "log in, or send a token that `conclave token create` has made")
        response.headers["WWW-Authenticate"] = 'Bearer realm="conclave"'
    else:
        response = problem(
            request, 401, "this token is unknown, revoked or expired; `conclave token create` makes one"
        )
        response.headers["WWW-Authenticate"] = 'Bearer realm="conclave", error="invalid_token"'
    return response


def _target(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
