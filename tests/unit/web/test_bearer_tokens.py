"""Programs with tokens: what opens to them, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from domain.access_token import AccessToken, digest_of
from domain.rights import ALL, Right
from tests.support import factories as make
from tests.support.in_memory.access_token_store import MemoryAccessTokenStore
from tests.support.stage import Stage
from tests.support.web import browser
from web.security.sessions import COOKIE

HASH = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
QUESTION = json.dumps(
    {"model": "council:DEV", "messages": [{"role": "user", "content": "How?"}], "timeout_s": 0.01}
)
ASK = "/v1/chat/completions"
EVIL = {"Origin": "https://evil.example"}


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def give(stage: Stage, text: str, *rights: Right, **fields: Any) -> None:
    kept = AccessToken(name="ci", digest=digest_of(text), rights=frozenset(rights), created_at=0.0, **fields)
    stage.access_tokens.save(kept)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def client(stage: Stage) -> TestClient:
    return browser(stage, users={"ada": HASH})


@pytest.mark.parametrize("path", ["/api/deliberations", "/api/stats", "/v1/models"])
def test_a_token_opens_what_its_rights_hold_and_nothing_else(stage: Stage, client: TestClient, path: str) -> None:
    give(stage, "t1", Right.READ)
    assert client.get(path, headers=bearer("t1")).status_code == 200
    assert client.post(ASK, content=QUESTION, headers=bearer("t1")).status_code == 403


@pytest.mark.parametrize("sent", ["bearer t1", "BEARER  t1", "Bearer t1 "])
def test_the_scheme_is_read_as_http_writes_it(stage: Stage, client: TestClient, sent: str) -> None:
    give(stage, "t1", *ALL)
    assert client.get("/api/stats", headers={"Authorization": sent}).status_code == 200


@pytest.mark.parametrize("sent", ["Bearer t2", "Bearer ", "Bearer t1x", "Basic t1", "t1", "Bearer é", ""])
def test_what_is_no_token_of_ours_opens_nothing(stage: Stage, client: TestClient, sent: str) -> None:
    give(stage, "t1", *ALL)
    answer = client.get("/api/stats", headers=[(b"authorization", sent.encode("latin-1"))])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert ("invalid_token" in answer.headers["www-authenticate"]) == sent.startswith("Bearer")


def test_a_revoked_or_expired_token_opens_nothing_from_then_on(stage: Stage, client: TestClient) -> None:
    give(stage, "t1", *ALL, expires_at=stage.clock.now() + 60)
    assert client.get("/api/stats", headers=bearer("t1")).status_code == 200
    stage.clock.advance(60)
    assert client.get("/api/stats", headers=bearer("t1")).status_code == 401
    give(stage, "t2", *ALL)
    assert client.get("/api/stats", headers=bearer("t2")).status_code == 200
    stage.access_tokens.delete("ci")
    assert client.get("/api/stats", headers=bearer("t2")).status_code == 401


def test_a_program_with_a_token_needs_no_origin_and_may_name_any(stage: Stage, client: TestClient) -> None:
    give(stage, "t1", *ALL)
    for headers in ({}, EVIL, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post(ASK, content=QUESTION, headers=bearer("t1") | headers).status_code == 504


def test_a_token_beside_a_cookie_lifts_no_check_of_the_origin(stage: Stage, client: TestClient) -> None:
    give(stage, "t1", *ALL)
    client.cookies.set(COOKIE, "anything")
    assert client.post(ASK, content=QUESTION, headers=bearer("t1") | EVIL).status_code == 403


def test_a_token_opens_no_page_and_no_form(stage: Stage, client: TestClient) -> None:
    give(stage, "t1", *ALL)
    assert client.get("/deliberations", headers=bearer("t1")).status_code == 303
    assert client.post("/logout", headers=bearer("t1")).status_code == 403


def test_where_no_login_is_asked_a_token_lets_no_other_page_in(stage: Stage) -> None:
    give(stage, "t1", *ALL)
    assert browser(stage).post(ASK, content=QUESTION, headers=bearer("t1") | EVIL).status_code == 403


class Away(Exception):
    """The store's."""


class StoreAway(MemoryAccessTokenStore):
    def of(self, digest: str) -> AccessToken | None:
        raise Away


def test_while_the_store_is_away_a_program_is_told_to_come_again(stage: Stage) -> None:
    stage.access_tokens = StoreAway()
    client = browser(stage, outages=(Away,), users={"ada": HASH})
    answer = client.get("/api/stats", headers=bearer("t1"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "content-security-policy" in answer.headers
