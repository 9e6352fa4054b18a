"""Where a setting of the page is seen to act."""

from __future__ import annotations

import time
from http.cookies import SimpleCookie
from typing import Any

from argon2 import PasswordHasher
from pydantic import SecretStr
from starlette.requests import Request
from starlette.testclient import TestClient

from tests.support.factories import deliberation
from tests.support.settings_observers import Observe
from web.elsewhere import elsewhere
from web.options import WebOptions
from web.security.proxy import Proxies
from web.security.sessions import COOKIE, Sessions
from workers.settings import Settings
from workers.web_process import application, server_config

PASSWORD = "open sesame"
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)


def web_server(name: str) -> Observe:
    """Look at an option of the server of the page."""
    return lambda settings: getattr(server_config(settings, application(settings)), name)


def web_status(path: str, cookie: str = "") -> Observe:
    """Look at the status of the page's answer."""
    return lambda settings: web_page(settings, cookie).get(path).status_code


def web_address(*, peer: str, forwarded_for: str) -> Observe:
    """Look at the address from which a request is taken to come."""
    headers = [(b"x-forwarded-for", forwarded_for.encode())]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    return lambda settings: Proxies(settings.web).address_of(request)


def web_status_of_second_question(settings: Settings) -> int:
    """Look at the answer to the second of two questions that say nothing."""
    page = web_page(settings)
    page.headers.pop("cookie")
    return [page.post("/v1/chat/completions").status_code for _ in range(2)][-1]


def web_status_of_second_verdict(settings: Settings) -> int:
    """Look at the answer to the second of two verdicts that say nothing."""
    page = web_page(settings)
    page.headers.pop("cookie")
    return [page.post("/api/deliberations/d-1/verdict").status_code for _ in range(2)][-1]


def web_known_session(secret: str, path: str = "/nothing") -> Observe:
    """Look at the answer to a session that another process with that secret has opened."""

    def observe(settings: Settings) -> Any:
        users = settings.web.users
        cookie = Sessions(WebOptions(users=users, secret=SecretStr(secret)), time.time).opened_by("ada", PASSWORD)
        return web_status(path, cookie or "")(settings)

    return observe


def web_link(part: str) -> Observe:
    """Look at the last link of a deliberation to elsewhere that has that part."""

    def observe(settings: Settings) -> str:
        of = deliberation(deliberation_id="d-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
        links = elsewhere(of, settings.web)
        return next((link for link in (links.conclusion, links.trace) if part in link), "")

    return observe


def web_cookie(attribute: str) -> Observe:
    """Look at an attribute of the cookie that a login gives."""

    def observe(settings: Settings) -> str:
        page = web_page(settings)
        answer = page.post(
            "/login",
            data={"name": "ada", "password": PASSWORD},
            headers={"Origin": str(page.base_url).rstrip("/")},
        )
        return str(SimpleCookie(answer.headers["set-cookie"])[COOKIE][attribute])

    return observe


def web_page(settings: Settings, cookie: str = "") -> TestClient:
    """Return a client of the page that these settings make."""
    address = settings.web.origin or f"http://127.0.0.1:{settings.web.port}"
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    return TestClient(application(settings), base_url=address, headers=headers, follow_redirects=False)
