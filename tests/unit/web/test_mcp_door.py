"""Tools over HTTP: which caller may use which, and what is said where they can't be."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from domain.access_token import AccessToken, digest_of
from domain.rights import Right
from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import browser

HASH = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
TOOLS: dict[str, tuple[Right, dict[str, object]]] = {
    "ask_council": (Right.APPROVE, {"role": "CHEF", "question": "How?"}),
    "judge_decision": (Right.JUDGE, {"deliberation_id": "d-1", "verdict": "accept"}),
    "get_decision": (Right.READ, {"deliberation_id": "d-1"}),
    "list_decisions": (Right.READ, {}),
    "list_councils": (Right.READ, {}),
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    stage = Stage(make.council("DEV"))
    for right in Right:
        kept = AccessToken(name=right, digest=digest_of(right), rights=frozenset({right}), created_at=0.0)
        stage.access_tokens.save(kept)
    with browser(stage, users={"ada": HASH}, approvals_per_minute=2, verdicts_per_minute=2) as made:
        yield made


def ask(client: TestClient, token: str, method: str, **params: object) -> Any:
    """Send what a client sends, and return the result."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    answer = client.post("/mcp", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    data = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    return json.loads(data[-1].removeprefix("data: "))["result"]


def call(client: TestClient, token: str, tool: str) -> str:
    """Return what a call answers, as text."""
    return json.dumps(ask(client, token, "tools/call", name=tool, arguments=TOOLS[tool][1]))


@pytest.mark.parametrize("token", Right)
@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_takes_one_right(client: TestClient, tool: str, token: Right) -> None:
    right = TOOLS[tool][0]
    told = f"needs the right to {right}, which {token} does not have"
    assert (told in call(client, token, tool)) == (token is not right)


def test_every_tool_is_in_the_table(client: TestClient) -> None:
    listed = ask(client, Right.READ, "tools/list")["tools"]
    assert {tool["name"] for tool in listed} == set(TOOLS)


def test_who_asks_in_a_loop_is_held(client: TestClient) -> None:
    told = [call(client, Right.APPROVE, "ask_council") for _ in range(3)]
    assert "approve has asked 2 times within a minute" in told[-1]
    told = [call(client, Right.JUDGE, "judge_decision") for _ in range(3)]
    assert "judge has judged 2 times within a minute" in told[-1]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}])
def test_without_a_right_token_nothing_answers(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/mcp", json={}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_page_of_another_site_reaches_no_tool_where_no_login_is_asked(method: str) -> None:
    client = browser(Stage())
    assert client.request(method, "/mcp", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.request(method, "/mcp", headers={"Host": "evil.example:8400"}).status_code == 421


def test_without_the_sdk_the_door_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mcp" or name == "web.mcp_http"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    with browser(Stage()) as client:
        answer = client.post("/mcp", json={})
    assert answer.status_code == 501
    assert answer.json() == {"error": "MCP's SDK is missing here: pip install 'conclave-council[mcp]'."}
