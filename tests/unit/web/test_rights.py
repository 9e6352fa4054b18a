"""Each caller does what its rights allow, and each route says which one it takes."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from domain.plan import content_of
from domain.rights import ALL, MEMBER, Right
from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import Seen, browser
from tests.support.web_routes import routes_of
from web.options import WebOptions
from web.security.guard import OPEN_PATHS

HASH = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
SECRET = "A plan that few may read"
SENTENCE = "This needs the right to read, which ada does not have."


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def ada(stage: Stage, *rights: str) -> TestClient:
    """Log in as somebody who has these rights alone."""
    client = browser(stage, users={"ada": HASH}, rights={"ada": list(rights)})
    fields = {"name": "ada", "password": "open sesame"}
    answer = client.post("/login", data=fields, headers={"Origin": "http://127.0.0.1:8400"})
    assert answer.status_code == 303
    return client


def test_every_route_takes_one_right_or_is_named_as_open(stage: Stage) -> None:
    app = browser(stage).app
    assert isinstance(app, FastAPI)
    routes = list(routes_of(app))
    assert len(routes) > 15
    declared = {(route.method, route.path) for route in routes if (len(route.rights) == 1) != route.by_tool}
    others = {route.path for route in routes if (route.method, route.path) not in declared}
    assert others == OPEN_PATHS | {"/static"}


def test_a_page_without_its_right_says_which_one_it_takes(stage: Stage) -> None:
    answer = ada(stage, "judge").get("/deliberations")
    assert answer.status_code == 403
    assert SENTENCE in Seen(answer.text).text


def test_a_program_without_the_right_is_told_in_its_own_shape(stage: Stage) -> None:
    client = ada(stage, "judge")
    refused = client.get("/api/deliberations")
    assert (refused.status_code, refused.json()) == (403, {"error": SENTENCE})
    refused = client.get("/v1/models")
    error = {"message": SENTENCE, "type": "invalid_request_error", "param": None, "code": "no_right"}
    assert (refused.status_code, refused.json()) == (403, {"error": error})


def test_who_may_read_does_not_ask_councils(stage: Stage) -> None:
    client = ada(stage, "read")
    assert client.get("/v1/models").status_code == 200
    question = {"model": "council:DEV", "messages": [{"role": "user", "content": "How?"}]}
    headers = {"Origin": "http://127.0.0.1:8400"}
    assert client.post("/v1/chat/completions", content=json.dumps(question), headers=headers).status_code == 403


def test_a_user_adds_to_the_record_and_ends_nothing_of_others_unless_settings_say_so() -> None:
    options = WebOptions.model_validate({"users": {"ada": HASH, "bob": HASH}, "rights": {"ada": ["operate"]}})
    assert options.rights_of("ada") == {Right.OPERATE}
    assert options.rights_of("bob") == MEMBER == ALL - {Right.OPERATE}


def test_all_others_have_the_rights_of_the_star() -> None:
    rights = {"*": ["read"], "ada": list(Right)}
    options = WebOptions.model_validate({"users": {"ada": HASH, "bob": HASH}, "rights": rights})
    assert options.rights_of("ada") == ALL
    assert options.rights_of("bob") == {Right.READ}


@pytest.mark.parametrize("rights", [{"bob": ["read"]}, {"ada": ["write"]}])
def test_rights_of_none_of_the_users_or_of_another_name_are_refused(rights: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"bob is none of the users|'read', 'approve', 'judge' or 'operate'"):
        WebOptions.model_validate({"users": {"ada": HASH}, "rights": rights})


@pytest.mark.parametrize("right", [right for right in Right if right not in (Right.READ, Right.JUDGE)])
def test_who_may_not_read_learns_no_text_of_a_plan(stage: Stage, right: Right) -> None:
    """From any page or answer that the right opens; who judges is shown what is judged."""
    request = make.plan_request(make.plan(title=SECRET, description=SECRET, plan_id="p", roles=("DEV",)))
    ended = stage.play(request).deliberation
    opened = stage.open(make.plan_request(make.plan(title=SECRET, roles=("DEV",))))
    client = ada(stage, right)
    named = urlencode({"plan": "p", "revision": ended.revision, "role": "DEV"})
    texts = [client.get(f"/approved?{named}"), client.get(f"/approve?from={ended.deliberation_id}")]
    for identity in (ended.deliberation_id, opened):
        for page in ("", "/redeliberate", "/cancel", "/judge", "/minutes.md", "/compare/" + identity):
            texts.append(client.get(f"/deliberations/{identity}{page}"))
        texts.append(client.get(f"/api/deliberations/{identity}"))
    assert {answer.status_code for answer in texts} == {200, 403}
    assert [answer.url for answer in texts if SECRET in answer.text] == []


def test_who_may_only_approve_is_answered_by_no_decision_on_another_plan(stage: Stage) -> None:
    request = make.plan_request(make.plan(title=SECRET, plan_id="p", roles=("DEV",)))
    stage.play(request.model_copy(update={"content": content_of(request.plan)}))
    client = ada(stage, "approve")
    guessed = {"plan_id": "p", "timestamp": request.plan.timestamp, "roles": ["DEV"], "title": "guessed"}
    headers = {"Origin": "http://127.0.0.1:8400"}
    answer = client.post("/api/approvals?wait=1", json=guessed, headers=headers)
    assert answer.status_code == 409
    assert SECRET not in answer.text


def test_who_may_only_approve_is_told_that_it_was_approved(stage: Stage) -> None:
    identity = stage.play(make.plan_request(make.plan(plan_id="p", roles=("DEV",)))).deliberation
    client = ada(stage, "approve")
    seen = Seen(
        client.get(f"/approved?{urlencode({'plan': 'p', 'revision': identity.revision, 'role': 'DEV'})}").text
    )
    assert "decided" in seen.text
    assert identity.deliberation_id in seen.text
