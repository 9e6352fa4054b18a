"""Each route by who asks: a table of answers, and what logging in takes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import browser
from web.options import WebOptions
from web.security.attempts import Attempts
from web.security.sessions import COOKIE, Sessions

HASH = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
ORIGIN = {"Origin": "http://127.0.0.1:8400"}
JSON = {**ORIGIN, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
GETS = (
    "/",
    "/deliberations",
    "/deliberations/ID",
    "/approve",
    "/judge",
    "/deliberations/ID/judge",
    "/deliberations/ID/proposal?id=agent-1%400",
    "/deliberations/ID/compare/ID",
    "/deliberations/ID/minutes.md",
    "/councils",
)


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def logged_in(stage: Stage, **options: Any) -> TestClient:
    client = browser(stage, users={"ada": HASH}, **options)
    answer = client.post("/login", data={"name": "ada", "password": "open sesame"}, headers=ORIGIN)
    assert answer.status_code == 303, answer.text
    return client


def without_login(stage: Stage) -> TestClient:
    return browser(stage, users={"ada": HASH})


def with_a_wrong_cookie(stage: Stage) -> TestClient:
    client = without_login(stage)
    genuine = logged_in(stage).cookies[COOKIE]
    client.cookies.set(COOKIE, genuine[:-1] + ("0" if genuine[-1] != "0" else "1"))
    return client


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize(
    ("who", "allowed"), [(without_login, False), (with_a_wrong_cookie, False), (logged_in, True)]
)
def test_pages_ask_for_a_login(stage: Stage, path: str, who: Callable[[Stage], TestClient], allowed: bool) -> None:
    record = stage.play()
    answer = who(stage).get(path.replace("ID", record.deliberation.deliberation_id))
    if allowed:
        assert answer.status_code in (200, 303)
        assert not answer.headers.get("location", "").startswith("/login")
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=%2F")
        assert "Reset" not in answer.text


@pytest.mark.parametrize(
    "path", ["/api/deliberations", "/api/deliberations/ID", "/api/councils", "/api/stats", "/api/openapi.json"]
)
@pytest.mark.parametrize(("who", "status"), [(without_login, 401), (with_a_wrong_cookie, 401), (logged_in, 200)])
def test_programs_are_asked_for_a_login_too(
    stage: Stage, path: str, who: Callable[[Stage], TestClient], status: int
) -> None:
    record = stage.play()
    answer = who(stage).get(path.replace("ID", record.deliberation.deliberation_id))
    assert answer.status_code == status
    if status == 401:
        assert answer.json() == {"error": "log in, or send a token that `conclave token create` has made"}
        assert answer.headers["www-authenticate"] == 'Bearer realm="conclave"'


@pytest.mark.parametrize("path", ["/login", "/healthz", "/static/page.css", "/static/mark.svg", "/favicon.ico"])
def test_what_a_login_takes_is_open(stage: Stage, path: str) -> None:
    assert without_login(stage).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:8400@evil.example"},
        {"Origin": "http://127.0.0.1:8401"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_form_of_another_page_is_refused(stage: Stage, path: str, headers: dict[str, str]) -> None:
    client = logged_in(stage)
    answer = client.post(path, data={"name": "ada", "password": "open sesame"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_proxys_origin_takes_the_place_of_the_host(stage: Stage) -> None:
    client = browser(stage, users={"ada": HASH}, origin="https://council.example")
    fields = {"name": "ada", "password": "open sesame"}
    assert client.post("/login", data=fields, headers={"Origin": "http://council.example"}).status_code == 403
    answer = client.post("/login", data=fields, headers={"Origin": "https://council.example"})
    assert answer.status_code == 303
    for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert word.lower() in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8400", "127.0.0.1:8401", ""])
def test_without_a_login_only_our_own_names_are_served(stage: Stage, host: str) -> None:
    client = browser(stage)
    assert client.get("/deliberations", headers={"Host": host}).status_code == 421
    assert client.get("/deliberations", headers={"Host": "localhost:8400"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong"), ("ada", ""), ("bob", "open sesame"), ("", ""), ("ada\x00", "x")]
)
def test_a_wrong_name_or_password_opens_nothing(stage: Stage, name: str, password: str) -> None:
    client = without_login(stage)
    answer = client.post("/login", data={"name": name, "password": password}, headers=ORIGIN)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "Name or password is wrong" in answer.text


def test_who_knows_the_password_may_log_in_again_and_again(stage: Stage) -> None:
    client = without_login(stage)
    for _ in range(12):
        fields = {"name": "ada", "password": "open sesame"}
        assert client.post("/login", data=fields, headers=ORIGIN).status_code == 303


def test_after_ten_attempts_a_name_waits_a_minute(stage: Stage) -> None:
    client = without_login(stage)
    for _ in range(10):
        assert client.post("/login", data={"name": "ada", "password": "x"}, headers=ORIGIN).status_code == 401
    fields = {"name": "ada", "password": "open sesame"}
    refused = client.post("/login", data=fields, headers=ORIGIN)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "61")
    stage.clock.advance(61.0)
    assert client.post("/login", data=fields, headers=ORIGIN).status_code == 303


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", ""])
def test_a_login_leads_nowhere_else(stage: Stage, target: str) -> None:
    fields = {"name": "ada", "password": "open sesame", "next": target}
    answer = without_login(stage).post("/login", data=fields, headers=ORIGIN)
    assert answer.headers["location"] == "/"


def test_a_session_ends_by_time_by_logging_out_and_with_its_user(stage: Stage) -> None:
    client = logged_in(stage, session_s=60, secret="s" * 32)
    cookie = client.cookies[COOKIE]
    now = stage.clock.now
    options = {"secret": "s" * 32, "session_s": 60}
    assert Sessions(WebOptions(users={"ada": HASH}, **options), now).user_of(cookie) == "ada"
    assert Sessions(WebOptions(users={"ada": HASH}, session_s=60), now).user_of(cookie) is None
    other = PasswordHasher(time_cost=1, memory_cost=64).hash("another")
    assert Sessions(WebOptions(users={"ada": other}, **options), now).user_of(cookie) is None
    assert Sessions(WebOptions(users={"bob": HASH}, **options), now).user_of(cookie) is None
    stage.clock.advance(61.0)
    assert client.get("/deliberations").status_code == 303
    answer = logged_in(stage).post("/logout", headers=ORIGIN)
    assert 'conclave_session=""' in answer.headers["set-cookie"]


FAR_OFF = base64.urlsafe_b64encode(b'{"name": "ada", "until": 1%s}' % (b"0" * 400)).decode()


@pytest.mark.parametrize(
    "cookie", ["", ".", "e30=.x", "W10=.x", "bnVsbA==.x", "eyJuYW1lIjogImFkYSJ9.x", "ä.ö", "=" * 9, f"{FAR_OFF}.x"]
)
def test_what_is_no_cookie_of_ours_is_none(cookie: str, stage: Stage) -> None:
    assert Sessions(WebOptions(users={"ada": HASH}), stage.clock.now).user_of(cookie) is None


def test_a_long_form_is_not_read(stage: Stage) -> None:
    answer = without_login(stage).post("/login", data={"name": "x" * 10_000}, headers=ORIGIN)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/api/approvals", "/api/deliberations/ID/verdict", "/v1/chat/completions", "/mcp"]
)
def test_no_request_fills_the_memory_whatever_its_length_says(stage: Stage, path: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(5):
            yield b" " * 1024 * 1024

    with logged_in(stage, rights={"ada": ["read"]}) as client:
        said = client.post(path, content=b" " * 5 * 1024 * 1024, headers=JSON)
        assert said.status_code == 413
        assert "longer than" in said.text
        unsaid = client.post(path, content=pieces(), headers=JSON)
        # That one reads itself, once its right was looked at.
        assert unsaid.status_code == (403 if path.startswith("/v1") else 413)


def test_attempts_are_forgotten_with_time_and_their_number_is_bounded(stage: Stage) -> None:
    attempts = Attempts(most=2, window_s=10.0, now=stage.clock.now)
    assert [attempts.wait_s("a"), attempts.wait_s("a"), attempts.wait_s("a")] == [0.0, 0.0, 10.0]
    assert attempts.wait_s("b") == 0.0
    stage.clock.advance(10.0)
    assert attempts.wait_s("a") == 0.0


@pytest.mark.parametrize("path", ["/deliberations", "/login", "/nothing", "/static/page.css", "/healthz"])
def test_every_answer_tells_the_browser_to_run_nothing_else(stage: Stage, path: str) -> None:
    first, second = browser(stage).get(path), browser(stage).get(path)
    policy = first.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy != second.headers["content-security-policy"]
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "10.0.0.7"}, True),
        ({"host": "0.0.0.0", "users": {"ada": HASH}}, False),
    ],
)
def test_other_hosts_are_served_with_a_login_alone(options: dict[str, object], refused: bool) -> None:
    assert bool(WebOptions.model_validate(options).refusal) is refused


@pytest.mark.parametrize(
    "options", [{"users": {"ada": "open sesame"}}, {"secret": "short"}, {"origin": "council.example/x"}]
)
def test_options_that_can_not_be_meant_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"hash|shorter|address"):
        WebOptions.model_validate(options)
