"""How often a caller may have councils deliberate, and judge."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import browser

HEADER = "X-Forwarded-User"


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def ask(client: TestClient, user: str) -> int:
    return client.post("/v1/chat/completions", headers={HEADER: user}).status_code


def test_one_caller_is_held_for_a_minute_and_no_other(stage: Stage) -> None:
    trust: dict[str, Any] = {"proxy_header": HEADER, "trusted_proxies": ["10.0.0.7"]}
    client = browser(stage, peer="10.0.0.7", approvals_per_minute=2, **trust)
    assert [ask(client, "ada"), ask(client, "ada"), ask(client, "ada")] == [400, 400, 429]
    assert ask(client, "bob") == 400
    stage.clock.advance(61)
    assert ask(client, "ada") == 400


def test_one_too_many_is_told_when_to_come_again(stage: Stage) -> None:
    client = browser(stage, approvals_per_minute=1)
    client.post("/v1/chat/completions")
    refused = client.post("/v1/chat/completions")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert refused.json()["error"]["code"] == "too_many"
    assert "anonymous has asked 1 times within a minute" in refused.json()["error"]["message"]


def test_verdicts_are_held_apart_from_questions(stage: Stage) -> None:
    client = browser(stage, approvals_per_minute=1, verdicts_per_minute=2)
    headers = {"Origin": "http://127.0.0.1:8400"}
    form, route = "/deliberations/d-1/judge", "/api/deliberations/d-1/verdict"
    told = [client.post(path, json={"verdict": "accept"}, headers=headers) for path in (form, route, form, route)]
    assert [answer.status_code for answer in told] == [404, 404, 429, 429]
    assert "anonymous has judged 2 times within a minute, which is the most." in told[-1].json()["error"]
    assert client.post("/v1/chat/completions").status_code == 400
    stage.clock.advance(61)
    assert client.post(route, json={"verdict": "accept"}, headers=headers).status_code == 404
