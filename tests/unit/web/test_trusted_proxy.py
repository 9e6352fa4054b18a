"""Who a proxy says has logged in: believed of the proxies that settings name, and of nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.requests import Request
from starlette.testclient import TestClient

from domain.rights import Right
from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import Seen, browser
from web.options import WebOptions
from web.security.proxy import Proxies, UserNotBelieved

HASH = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
PROXY = "10.0.0.7"
HEADER = "X-Forwarded-User"
TRUST: dict[str, Any] = {"proxy_header": HEADER, "trusted_proxies": [PROXY, "fd00::/8"]}
ADA = {HEADER: "ada"}


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def behind(stage: Stage, peer: str = PROXY, **options: Any) -> TestClient:
    return browser(stage, peer=peer, **TRUST, **options)


@pytest.mark.parametrize("peer", [PROXY, "::ffff:10.0.0.7", "fd12::1"])
def test_whom_a_trusted_proxy_names_is_in(stage: Stage, peer: str) -> None:
    shown = Seen(behind(stage, peer).get("/deliberations", headers=ADA).text)
    assert "ada" in shown.text
    assert "Log out" not in shown.text


@pytest.mark.parametrize("peer", ["10.0.0.8", "127.0.0.1", "fe80::1", "testclient"])
@pytest.mark.parametrize("path", ["/deliberations", "/api/stats", "/v1/models"])
def test_from_anybody_else_the_header_is_refused(stage: Stage, peer: str, path: str) -> None:
    answer = behind(stage, peer, users={"ada": HASH}).get(path, headers=ADA)
    assert answer.status_code == 403
    assert "comes from none of CONCLAVE_WEB_TRUSTED_PROXIES" in answer.text


def test_without_the_setting_the_header_says_nothing(stage: Stage) -> None:
    client = browser(stage, peer=PROXY, users={"ada": HASH}, trusted_proxies=[PROXY])
    assert client.get("/deliberations", headers=ADA).status_code == 303


@pytest.mark.parametrize(
    ("values", "status"),
    [([], 401), ([b""], 401), ([b"  "], 401), ([b"ada", b"bob"], 403), ([b"a" * 201], 403)],
)
def test_what_names_nobody_is_let_in_nowhere(stage: Stage, values: list[bytes], status: int) -> None:
    headers = [(HEADER.encode(), value) for value in values]
    assert behind(stage).get("/deliberations", headers=headers).status_code == status


def test_a_name_is_read_as_utf_8() -> None:
    def user_of(value: bytes) -> str:
        request = Request({"type": "http", "client": (PROXY, 1), "headers": [(b"x-forwarded-user", value)]})
        return Proxies(WebOptions.model_validate(TRUST)).user_of(request)

    assert user_of("Ädä".encode()) == "Ädä"
    for value in (b"\xff", b"a\x00", "a\u202eb".encode()):
        with pytest.raises(UserNotBelieved):
            user_of(value)


def test_a_proxys_user_has_the_rights_that_settings_give(stage: Stage) -> None:
    client = behind(stage, rights={"*": ["judge"], "ada": ["read"]})
    assert client.get("/api/stats", headers=ADA).status_code == 200
    assert client.get("/api/stats", headers={HEADER: "bob"}).status_code == 403


def test_a_form_of_another_page_is_refused_behind_a_proxy_too(stage: Stage) -> None:
    sent = ADA | {"Origin": "https://evil.example"}
    for path in ("/logout", "/v1/chat/completions"):
        assert behind(stage).post(path, headers=sent).status_code == 403


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, ["1.2.3.4"], "1.2.3.4"),
        (PROXY, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        (PROXY, ["6.6.6.6", "1.2.3.4, fd00::2"], "1.2.3.4"),
        (PROXY, [], PROXY),
        (PROXY, ["unknown"], PROXY),
        (PROXY, ["1.2.3.4, unknown"], PROXY),
        ("5.5.5.5", ["1.2.3.4"], "5.5.5.5"),
    ],
)
def test_the_address_is_the_last_that_a_trusted_proxy_saw(peer: str, forwarded: list[str], address: str) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    assert Proxies(WebOptions.model_validate(TRUST)).address_of(request) == address


def test_attempts_to_log_in_are_counted_by_the_address_behind_the_proxy(stage: Stage) -> None:
    client = behind(stage, users={"ada": HASH})

    def try_from(address: str, number: int) -> int:
        fields = {"name": f"nobody-{number}", "password": "x"}
        headers = {"Origin": "http://127.0.0.1:8400", "X-Forwarded-For": address}
        return client.post("/login", data=fields, headers=headers).status_code

    assert {try_from("1.2.3.4", number) for number in range(30)} == {401}
    assert try_from("1.2.3.4", 30) == 429
    assert try_from("1.2.3.5", 31) == 401


def test_a_header_that_nobody_could_send_is_refused_and_one_is_a_login() -> None:
    with pytest.raises(ValueError, match="nobody's header would be believed"):
        WebOptions(proxy_header=HEADER)
    assert not WebOptions.model_validate(TRUST | {"host": "0.0.0.0"}).refusal
    assert WebOptions.model_validate(TRUST).rights_of("ada") == {Right.READ, Right.APPROVE, Right.JUDGE}
