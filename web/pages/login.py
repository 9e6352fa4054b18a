"""Logging in and out."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web.form import read_form
from web.options import WebOptions
from web.rendering import page
from web.security.attempts import Attempts
from web.security.proxy import Proxies
from web.security.sessions import COOKIE, Sessions

MOST_BYTES = 8192
WINDOW_S = 60.0


def login_routes(options: WebOptions, sessions: Sessions, proxies: Proxies, now: Callable[[], float]) -> APIRouter:
    """Return the form, what takes it, and what ends a session."""
    routes = APIRouter(include_in_schema=False)
    by_name = Attempts(most=10, window_s=WINDOW_S, now=now)
    by_address = Attempts(most=30, window_s=WINDOW_S, now=now)

    @routes.get("/login")
    def form(request: Request, next: str = "/") -> Response:
        return page(request, "login.html", next=_local(next), problem="")

    @routes.post("/login")
    async def log_in(request: Request) -> Response:
        fields = await read_form(request, most_bytes=MOST_BYTES)
        name, password = fields.get("name", ""), fields.get("password", "")
        target = _local(fields.get("next", "/"))
        wait = by_address.wait_s(proxies.address_of(request)) or by_name.wait_s(name)
        if wait:
            problem = "There were too many attempts. Wait a minute, then try again."
            response = page(request, "login.html", status=429, next=target, problem=problem)
            response.headers["Retry-After"] = str(int(wait) + 1)
            return response
        cookie = await run_in_threadpool(sessions.opened_by, name, password)
        if cookie is None:
            problem = "Name or password is wrong."
            return page(request, "login.html", status=401, next=target, problem=problem)
        by_name.forget(name)
        answer = RedirectResponse(target, status_code=303)
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=int(options.session_s),
            httponly=True,
            samesite="strict",
            secure=options.secure,
        )
        return answer

    @routes.post("/logout")
    def log_out() -> Response:
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=options.secure)
        return answer

    return routes


def _local(target: str) -> str:
    """Return a path of this page: a login must lead nowhere else."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if plain else "/"
