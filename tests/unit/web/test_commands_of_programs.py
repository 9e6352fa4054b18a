"""Programs approve, judge, cancel and repeat by routes whose answers the committed document describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from domain.redeliberation import RepeatChoice
from tests.support import factories as make
from tests.support.in_memory.council_client import MemoryCouncilClient
from tests.support.in_memory.deliberation_control import MemoryDeliberationControl
from tests.support.stage import Stage
from tests.support.web import page_of
from tests.unit.web.test_actions import judging

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "schema" / "openapi.json").read_text(encoding="utf-8"))
PLAN = {"title": "Keep carts", "roles": ["dev"]}


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def answered(page: TestClient, path: str, described: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Send a command and return status and body, compared with its schema in the document."""
    answer = page.post(path, json=body, headers=headers)
    responses = DOCUMENT["paths"][described]["post"]["responses"]
    status = str(answer.status_code)
    schema = responses[status if status in responses else "4XX"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.json())
    return answer.status_code, answer.json()


def test_an_approval_names_the_deliberations_that_follow(stage: Stage) -> None:
    client = MemoryCouncilClient(deliberate=stage.approve)
    page = page_of(stage, client=client)
    status, told = answered(page, "/api/approvals", "/api/approvals", PLAN, **{"Idempotency-Key": "k-1"})
    assert (status, told["revision"]) == (202, "k-1")
    (asked,) = told["deliberations"]
    assert asked == {"role": "DEV", "deliberation_id": stage.queue.work[-1][0]}
    assert client.approved[0]["approved_by"] == "anonymous"


def test_the_same_key_is_the_same_approval_and_none_is_a_new_one(stage: Stage) -> None:
    page = page_of(stage, client=MemoryCouncilClient(deliberate=stage.approve))
    keys = ("k-1", "k-1", "k-2", "", "")
    told = [page.post("/api/approvals", json=PLAN, headers={"Idempotency-Key": key}).json() for key in keys]
    ids = [answer["deliberations"][0]["deliberation_id"] for answer in told]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_a_key_that_stands_for_another_plan_is_refused(stage: Stage) -> None:
    page = page_of(stage, client=MemoryCouncilClient(deliberate=stage.approve))
    first = answered(page, "/api/approvals", "/api/approvals", PLAN, **{"Idempotency-Key": "k-1"})
    for other in ({**PLAN, "title": "Drop carts"}, {**PLAN, "plan_id": "another"}):
        status, told = answered(page, "/api/approvals", "/api/approvals", other, **{"Idempotency-Key": "k-1"})
        assert status == 409
        assert told["error"] == (
            "Under the key k-1 another plan was sent before, which stands; "
            "send this one under another Idempotency-Key."
        )
    assert answered(page, "/api/approvals", "/api/approvals", PLAN, **{"Idempotency-Key": "k-1"}) == first


def test_the_store_remembers_a_key_for_longer_than_messages_are_told_apart(stage: Stage) -> None:
    """Another process took the first one, an hour ago."""
    page_of(stage, client=MemoryCouncilClient(deliberate=stage.approve)).post(
        "/api/approvals", json=PLAN, headers={"Idempotency-Key": "k-1"}
    )
    client = MemoryCouncilClient()
    status, _ = answered(
        page_of(stage, client=client),
        "/api/approvals",
        "/api/approvals",
        {**PLAN, "title": "Drop carts"},
        **{"Idempotency-Key": "k-1"},
    )
    assert (status, client.approved) == (409, [])


def test_who_waits_is_told_the_decision(stage: Stage) -> None:
    page = page_of(stage, client=MemoryCouncilClient(deliberate=stage.play))
    status, told = answered(page, "/api/approvals?wait=60", "/api/approvals", PLAN)
    assert status == 200
    (decision,) = told["decisions"]
    assert decision["state"] == "decided"
    assert decision["answer"]


def test_who_waited_in_vain_is_told_where_it_goes_on(stage: Stage) -> None:
    page = page_of(stage, client=MemoryCouncilClient(deliberate=stage.approve))
    status, told = answered(page, "/api/approvals?wait=0.1", "/api/approvals", PLAN)
    assert status == 504
    assert told["error"] == "not decided within 0.1 s; it goes on"
    assert told["deliberations"][0]["deliberation_id"] == stage.queue.work[-1][0]


def test_who_waits_while_the_page_is_stopped_is_told_so_at_once(stage: Stage) -> None:
    page = page_of(stage, client=MemoryCouncilClient(deliberate=stage.approve))
    page.app.state.stopping.begin()  # type: ignore[attr-defined]
    status, told = answered(page, "/api/approvals?wait=3600", "/api/approvals", PLAN)
    assert status == 504
    assert told["error"] == "not decided before this page stopped; it goes on"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"roles": [], "title": "x"}, "field roles is empty"),
        ({"roles": ["DEV"], "title": 3}, "field title must be a string"),
        ([], "The body can't be understood"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_with_its_mistakes(stage: Stage, body: Any, said: str) -> None:
    status, told = answered(page_of(stage), "/api/approvals", "/api/approvals", body)
    assert status == 400
    assert said in told["error"]


def test_a_verdict_is_recorded_in_the_callers_name(stage: Stage) -> None:
    identity = stage.play().deliberation.deliberation_id
    page = page_of(stage, client=judging(stage))
    described = "/api/deliberations/{deliberation_id}/verdict"
    given = {"verdict": "prefer", "proposal": "agent-2", "reason": "safer"}
    status, told = answered(page, f"/api/deliberations/{identity}/verdict", described, given)
    assert (status, told["by"], told["verdict"]) == (200, "anonymous", "prefer")
    assert stage.services.verdicts.of(identity)[0].reason == "safer"
    status, _ = answered(page_of(stage), f"/api/deliberations/{identity}/verdict", described, given)
    assert status == 409


def test_a_verdict_on_nothing_is_refused_before_it_is_published(stage: Stage) -> None:
    described = "/api/deliberations/{deliberation_id}/verdict"
    status, told = answered(page_of(stage), "/api/deliberations/d-0/verdict", described, {"verdict": "accept"})
    assert status == 404
    assert "no such deliberation" in told["error"]


def test_orders_name_what_they_are_about(stage: Stage) -> None:
    control = MemoryDeliberationControl()
    page = page_of(stage, control=control)
    ended, opened = stage.play().deliberation.deliberation_id, stage.open()
    again, end = (f"/api/deliberations/{{deliberation_id}}/{word}" for word in ("redeliberate", "cancel"))

    status, told = answered(page, again.replace("{deliberation_id}", ended), again, {"model": "tiny"})
    assert (status, control.repeated) == (202, [(ended, RepeatChoice(model="tiny"))])
    assert told["deliberation_id"] == stage.redeliberate(ended)

    status, told = answered(page, end.replace("{deliberation_id}", opened), end, {"reason": "dropped"})
    assert (status, told) == (202, {"deliberation_id": opened})
    assert control.cancelled == [(opened, "cancelled by anonymous: dropped")]
    assert page.post(f"/api/deliberations/{opened}/cancel").status_code == 202

    assert answered(page, f"/api/deliberations/{ended}/cancel", end)[0] == 409
    assert answered(page, again.replace("{deliberation_id}", opened), again)[0] == 409
    assert answered(page, "/api/deliberations/d-0/cancel", end)[0] == 404
