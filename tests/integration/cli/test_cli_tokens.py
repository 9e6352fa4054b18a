"""`conclave token …` against a real Valkey, and the page that its tokens open."""

from __future__ import annotations

import json

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from tests.support.commands import Run, sentence
from workers.settings import Settings
from workers.store_ports import StorePorts
from workers.web_process import application


@pytest.fixture
def page(environment: Settings, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    users = json.dumps({"ada": PasswordHasher(time_cost=1, memory_cost=64).hash("x")})
    monkeypatch.setenv("CONCLAVE_WEB_USERS", users)
    return TestClient(application(Settings()), base_url="http://127.0.0.1:8400", follow_redirects=False)


def test_a_token_is_printed_once_opens_what_it_may_and_is_revoked(run: Run, page: TestClient) -> None:
    made = run("token", "create", "ci", "--right", "approve", "--right", "read")
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert page.get("/api/councils", headers=headers).status_code == 200
    (listed,) = json.loads(run("token", "list", "--json").stdout)
    assert (listed["name"], listed["rights"]) == ("ci", ["read", "approve"])
    assert listed["expires_at"] - listed["created_at"] == pytest.approx(90 * 86_400)
    shown = run("token", "list").stdout
    assert "read, approve" in shown
    assert made.stdout.strip() not in shown
    assert run("token", "revoke", "ci").stdout == "ci is revoked\n"
    assert page.get("/api/councils", headers=headers).status_code == 401
    assert "no tokens" in run("token", "list").stdout


def test_the_store_holds_a_digest_and_no_token(run: Run, environment: Settings) -> None:
    token = run("token", "create", "ci", "--right", "read").stdout.strip()
    stored = StorePorts(environment).store.hgetall(f"{environment.key_prefix}tokens")
    assert len(stored) == 1
    assert token.removeprefix("conclave_") not in str(stored)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "ci", "--right", "read"), "there is a token ci already: revoke it first"),
        (("create", " ", "--right", "read"), "a name has 1 to 200 characters"),
        (("revoke", "chat"), "there is no token chat (there are: ci)"),
    ],
)
def test_what_can_not_be_done_is_2_with_one_sentence(run: Run, arguments: tuple[str, ...], words: str) -> None:
    run("token", "create", "ci", "--right", "read")
    refused = run("token", *arguments)
    assert refused.exit_code == 2
    assert words in sentence(refused)


@pytest.mark.parametrize("rights", [(), ("--right", "write")])
def test_a_token_without_a_right_or_with_another_is_wrong_usage(run: Run, rights: tuple[str, ...]) -> None:
    assert run("token", "create", "ci", *rights).exit_code == 2
