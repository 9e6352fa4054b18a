"""Every route by every kind of caller. The table is written by hand: a route that is not in it fails."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.types import Message

from domain.access_token import AccessToken, digest_of
from domain.rights import ALL, Right
from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import ports_of
from tests.support.web_routes import routes_of
from web.app import make_app
from web.options import WebOptions
from web.security.sessions import COOKIE, Sessions

OPEN, BY_TOOL = "open", "by tool"
ROUTES = {
    "GET /": "read",
    "GET /deliberations": "read",
    "GET /deliberations/events": "read",
    "GET /deliberations/{deliberation_id}": "read",
    "GET /deliberations/{deliberation_id}/events": "read",
    "GET /deliberations/{deliberation_id}/proposal": "read",
    "GET /deliberations/{deliberation_id}/ballot": "read",
    "GET /deliberations/{deliberation_id}/minutes.md": "read",
    "GET /deliberations/{deliberation_id}/compare/{other_id}": "read",
    "GET /approve": "approve",
    "POST /approve": "approve",
    "GET /approved": "approve",
    "GET /judge": "judge",
    "GET /deliberations/{deliberation_id}/judge": "judge",
    "POST /deliberations/{deliberation_id}/judge": "judge",
    "GET /deliberations/{deliberation_id}/redeliberate": "approve",
    "POST /deliberations/{deliberation_id}/redeliberate": "approve",
    "GET /deliberations/{deliberation_id}/cancel": "operate",
    "POST /deliberations/{deliberation_id}/cancel": "operate",
    "GET /councils": "read",
    "GET /councils/edit": "operate",
    "POST /councils/preview": "operate",
    "POST /councils/apply": "operate",
    "GET /system": "read",
    "GET /system/dead-letters": "read",
    "GET /system/dead-letters/{number}": "read",
    "POST /system/dead-letters/{number}/replay": "operate",
    "POST /system/dead-letters/{number}/purge": "operate",
    "GET /system/parked/{parked_id}": "read",
    "POST /system/parked/{parked_id}/release": "operate",
    "POST /system/parked/{parked_id}/drop": "operate",
    "GET /api/deliberations": "read",
    "GET /api/deliberations/{deliberation_id}": "read",
    "GET /api/deliberations/{deliberation_id}/events": "read",
    "POST /api/approvals": "approve",
    "POST /api/deliberations/{deliberation_id}/verdict": "judge",
    "POST /api/deliberations/{deliberation_id}/redeliberate": "approve",
    "POST /api/deliberations/{deliberation_id}/cancel": "operate",
    "GET /api/councils": "read",
    "GET /api/stats": "read",
    "GET /api/system": "read",
    "GET /api/openapi.json": "read",
    "GET /v1/models": "read",
    "POST /v1/chat/completions": "approve",
    "GET /mcp": BY_TOOL,
    "POST /mcp": BY_TOOL,
    "DELETE /mcp": BY_TOOL,
    "GET /login": OPEN,
    "POST /login": OPEN,
    "POST /logout": OPEN,
    "GET /static": OPEN,
    "GET /healthz": OPEN,
    "GET /favicon.ico": OPEN,
}
"""The right that each route takes."""
LIMITED = (
    "POST /approve",
    "POST /deliberations/{deliberation_id}/redeliberate",
    "POST /api/approvals",
    "POST /api/deliberations/{deliberation_id}/redeliberate",
    "POST /v1/chat/completions",
    "POST /deliberations/{deliberation_id}/judge",
    "POST /api/deliberations/{deliberation_id}/verdict",
)
"""What counts against the limit of approvals, or of verdicts."""

HASH = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
HELD: dict[str, frozenset[Right]] = {"all": ALL} | {str(right): frozenset({right}) for right in Right}
"""Rights by the name of the user, and of the token, that has them."""
OURS, EVIL = "http://127.0.0.1:8400", "https://evil.example"
MOST = 200
"""Approvals, and verdicts, a minute: enough for all that is tried here."""


@dataclass(frozen=True)
class Who:
    """A caller: by cookie unless it sends a token."""

    rights: frozenset[Right] = frozenset()
    cookie: bool = True
    token: bool = False
    wrong: bool = False
    origin: str = OURS


CALLERS = {
    "no login": Who(cookie=False),
    **{f"may only {right}": Who(frozenset({right})) for right in Right},
    **{f"token to {right} alone": Who(frozenset({right}), cookie=False, token=True) for right in Right},
    "forged origin": Who(ALL, origin=EVIL),
    "no origin": Who(ALL, origin=""),
    "token, forged origin": Who(ALL, cookie=False, token=True, origin=EVIL),
    "token beside a cookie, forged origin": Who(ALL, token=True, origin=EVIL),
    "wrong cookie": Who(wrong=True),
    "wrong token": Who(cookie=False, token=True, wrong=True),
    "wrong token beside a right cookie": Who(ALL, token=True, wrong=True),
}


def expected(route: str, who: Who) -> str:
    """Return what the caller should meet: let in, asked to log in, or told why not."""
    method, path = route.split()
    program = path.startswith(("/api/", "/v1/", "/mcp"))
    if (
        (method != "GET" or path == "/mcp")
        and who.origin != OURS
        and not (program and who.token and not who.cookie)
    ):
        return "form of another page"
    if ROUTES[route] == OPEN:
        return "in"
    by_token = who.token and program
    known = not who.wrong if by_token else who.cookie and (not who.wrong or who.token)
    if not known:
        return "token refused" if by_token else "asked to log in"
    return "in" if ROUTES[route] in (BY_TOOL, *who.rights) else f"right to {ROUTES[route]}"


@pytest.fixture(scope="module")
def options() -> WebOptions:
    users = dict.fromkeys(HELD, HASH)
    return WebOptions.model_validate(
        {"users": users, "rights": HELD, "secret": "s" * 32}
        | {"approvals_per_minute": MOST, "verdicts_per_minute": MOST}
    )


@pytest.fixture(scope="module")
def app(options: WebOptions) -> FastAPI:
    stage = Stage(make.council("DEV"))
    for name, rights in HELD.items():
        kept = AccessToken(name=name, digest=digest_of(f"t-{name}"), rights=rights, created_at=0.0)
        stage.access_tokens.save(kept)
    return make_app(ports_of(stage), options, version="0")


def test_the_table_names_every_route_with_the_right_that_it_says(app: FastAPI) -> None:
    found = {
        f"{route.method or 'GET'} {route.path}": "".join(route.rights) or (BY_TOOL if route.by_tool else OPEN)
        for route in routes_of(app)
    }
    assert found == ROUTES


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("route", ROUTES)
def test_who_meets_what(app: FastAPI, options: WebOptions, route: str, who: str) -> None:
    headers = _headers(CALLERS[who], options)
    status, answer = asyncio.run(_ask(app, route, headers))
    assert _met(status, answer) == expected(route, CALLERS[who]), (status, answer)


@pytest.mark.parametrize("route", LIMITED)
def test_who_asks_in_a_loop_is_held(options: WebOptions, route: str) -> None:
    once = {"approvals_per_minute": 1, "verdicts_per_minute": 1}
    held = make_app(ports_of(Stage()), options.model_copy(update=once), version="0", now=time.time)
    headers = _headers(Who(ALL), options)
    answers = [asyncio.run(_ask(held, route, headers))[0] for _ in range(2)]
    assert answers[0] != 429
    assert answers[1] == 429


def _headers(who: Who, options: WebOptions) -> list[tuple[str, str]]:
    name = next(iter(who.rights)) if len(who.rights) == 1 else "all"
    cookie = Sessions(options, time.time).opened_by(name, "open sesame") or ""
    forged = who.wrong and not who.token
    headers = [("host", "127.0.0.1:8400")]
    if who.origin:
        headers.append(("origin", who.origin))
    if who.cookie:
        headers.append(("cookie", f"{COOKIE}={'e30.' if forged else ''}{cookie}"))
    if who.token:
        headers.append(("authorization", f"Bearer t-{name}{'x' if who.wrong else ''}"))
    return headers


def _met(status: int, answer: str) -> str:
    if status == 401 and "token is unknown" in answer:
        return "token refused"
    if (status == 401 and "log in" in answer) or (status == 303 and "/login?next=" in answer):
        return "asked to log in"
    if status == 403:
        told = [f"right to {right}" for right in Right if f"needs the right to {right}," in answer]
        return told[0] if told else "form of another page" if "form of another page" in answer else answer
    return "in"


async def _ask(app: FastAPI, route: str, headers: list[tuple[str, str]]) -> tuple[int, str]:
    """Return the status, and the location or the text; of a stream, which has no end, the status alone."""
    method, path = route.split()
    path = "/static/page.css" if path == "/static" else _filled(path)
    scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8400)}
    scope |= {"headers": [(name.encode(), value.encode()) for name, value in headers], "root_path": ""}
    messages: list[Message] = []
    enough = asyncio.Event()
    received = 0

    async def receive() -> Message:
        nonlocal received
        received += 1
        if received > 1:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)
        kinds = dict(messages[0]["headers"]).get(b"content-type", b"")
        if kinds.startswith(b"text/event-stream") or not message.get("more_body", True):
            enough.set()

    task = asyncio.create_task(app(scope, receive, send))
    ended = asyncio.create_task(enough.wait())
    await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED, timeout=120)
    if task.done():
        task.result()
    for each in (task, ended):
        each.cancel()
    await asyncio.gather(task, ended, return_exceptions=True)
    start = messages[0]
    location = dict(start["headers"]).get(b"location", b"").decode()
    return start["status"], location or b"".join(message.get("body", b"") for message in messages).decode()


def _filled(path: str) -> str:
    for name in ("deliberation_id", "proposal_id", "reviewer:path", "parked_id"):
        path = path.replace(f"{{{name}}}", "x")
    return path.replace("{number}", "1").replace("{round_}", "0").replace("{pass_}", "0")
