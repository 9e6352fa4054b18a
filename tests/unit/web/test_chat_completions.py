"""The OpenAI-compatible door, its errors and who gets in, over ports in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from domain.errors import RequestRefused, RequestUndelivered
from tests.support import factories as make
from tests.support.in_memory.council_client import MemoryCouncilClient
from tests.support.stage import Stage
from tests.support.web import ports_of
from web.app import make_app
from web.options import WebOptions

ASKED = {"model": "council:DEV", "messages": [{"role": "user", "content": "How?"}]}
URL = "/v1/chat/completions"


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


@pytest.fixture
def councils() -> MemoryCouncilClient:
    return MemoryCouncilClient()


@pytest.fixture
def door(stage: Stage, councils: MemoryCouncilClient) -> Callable[..., TestClient]:
    def client(**options: Any) -> TestClient:
        app = make_app(ports_of(stage, client=councils), WebOptions.model_validate(options), version="0")
        return TestClient(app, base_url="http://127.0.0.1:8400", follow_redirects=False)

    return client


def error(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()["error"]
    assert found["message"]
    return found


def test_the_question_is_the_last_message_of_the_user_and_the_rest_its_context(
    door: Callable[..., TestClient], councils: MemoryCouncilClient
) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "A queue."},
        {"role": "user", "content": [{"type": "text", "text": "How long?"}, {"type": "text", "text": "And why?"}]},
    ]
    body = {"model": "council:dev", "messages": messages, "user": "ada", "timeout_s": 0.01, "temperature": 2}
    door().post(URL, json=body)
    (plan,) = councils.approved
    assert (plan["roles"], plan["approved_by"], plan["title"]) == (["DEV"], "ada", "How long?")
    before = "system: Be brief.\n\nuser: What is it?\n\nassistant: A queue."
    assert plan["description"].endswith(f"{before}\n\nHow long?\nAnd why?")


def test_a_wait_that_is_over_names_the_deliberation(door: Callable[..., TestClient]) -> None:
    late = door().post(URL, json=ASKED | {"timeout_s": 0.01})
    found = error(late, 504)
    assert found["deliberation_id"].startswith("d-")
    assert found["deliberation_id"] in found["message"]
    assert late.headers["x-should-retry"] == "false"


def test_a_wait_while_the_page_is_stopped_is_over(stage: Stage, councils: MemoryCouncilClient) -> None:
    ports = ports_of(stage, client=councils)
    ports.stopping.begin()
    app = make_app(ports, WebOptions(), version="0")
    late = TestClient(app, base_url="http://127.0.0.1:8400").post(URL, json=ASKED)
    assert error(late, 504)["message"].endswith(
        " was not decided before this page stopped; it goes on, look at it later"
    )


def test_a_wait_that_is_over_ends_a_stream_with_the_error(door: Callable[..., TestClient]) -> None:
    late = door().post(URL, json=ASKED | {"timeout_s": 0.01, "stream": True})
    lines = [line.removeprefix("data: ") for line in late.text.splitlines() if line.startswith("data: ")]
    assert json.loads(lines[-2])["error"]["code"] == "not_in_time"
    assert lines[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"model": "council:POET"}, 404, "model_not_found"),
        ({"model": "gpt-4"}, 404, "model_not_found"),
        ({"messages": []}, 400, "invalid_request"),
        ({"messages": [{"role": "system", "content": "Be brief."}]}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "invalid_request"),
        ({"timeout_s": -1}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "content": "x" * 3_000_000}]}, 413, "too_long"),
    ],
)
def test_what_can_not_be_asked_is_said_and_not_published(
    door: Callable[..., TestClient],
    councils: MemoryCouncilClient,
    changes: dict[str, Any],
    status: int,
    code: str,
) -> None:
    assert error(door().post(URL, json=ASKED | changes), status)["code"] == code
    assert councils.approved == []


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(RequestRefused("too long; shorten it"), 400), (RequestUndelivered("NATS is away"), 503)],
)
def test_what_the_message_system_says_is_told(
    door: Callable[..., TestClient], councils: MemoryCouncilClient, refusal: Exception, status: int
) -> None:
    councils.refusal = refusal
    assert error(door().post(URL, json=ASKED), status)["message"] == str(refusal)


def test_a_role_without_a_decision_is_told_with_its_reason(
    door: Callable[..., TestClient], councils: MemoryCouncilClient
) -> None:
    councils.told = [make.failed_body(reason="below the quorum")]
    assert error(door().post(URL, json=ASKED), 502)["code"] == "no_decision"


def test_councils_are_models(door: Callable[..., TestClient]) -> None:
    assert [row["id"] for row in door().get("/v1/models").json()["data"]] == ["council:DEV"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Cookie": "conclave_session=x"},
        {"Host": "evil.example"},
    ],
)
def test_no_page_of_another_site_can_ask(
    door: Callable[..., TestClient], councils: MemoryCouncilClient, headers: dict[str, str]
) -> None:
    assert door().post(URL, json=ASKED, headers=headers).status_code in (403, 421)
    assert councils.approved == []


@pytest.mark.parametrize(("method", "path"), [("POST", URL), ("GET", "/v1/models")])
def test_a_login_is_asked_for_where_there_is_one(
    door: Callable[..., TestClient], councils: MemoryCouncilClient, method: str, path: str
) -> None:
    hashed = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
    answer = door(users={"ada": hashed}).request(method, path, json=ASKED)
    assert error(answer, 401)["code"] == "no_login"
    assert councils.approved == []
