"""Each caller does what its rights allow, and each route says which one it takes."""

from __future__ import annotations

import json

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from domain.rights import ALL, MEMBER, Right
from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import Seen, browser
from tests.support.web_routes import routes_of
from web.options import WebOptions
from web.security.guard import OPEN_PATHS

HASH = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
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
