"""A plan approved on the page: from fields or JSON to one approval, with mistakes beside what they are about."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

import web.pages.approve
from domain.errors import RequestRefused, RequestUndelivered
from domain.plan import Constraints
from tests.support import factories as make
from tests.support.in_memory.council_client import MemoryCouncilClient
from tests.support.stage import Stage
from tests.support.web import Seen, page_of
from web.plan_form import PlanForm
from web.sample_plan import sample_plan

FIELDS = {
    "key": "k1",
    "title": "Keep carts",
    "description": "Carts are lost.\r\nKeep them.",
    "acceptance_criteria": "One\r\n\r\n  Two ",
    "roles": ["DEV"],
    "requirements": "No new service",
    "rubric": "safety = 2: nothing is lost\nclarity",
    "rounds": "1",
    "deadline_s": "90.5",
    "notes": "Soon",
}
PLAN = {
    "title": "Keep carts",
    "description": "Carts are lost.\nKeep them.",
    "acceptance_criteria": ["One", "Two"],
    "roles": ["DEV"],
    "notes": "Soon",
    "constraints": {
        "requirements": ["No new service"],
        "rubric": [{"name": "safety", "weight": 2, "description": "nothing is lost"}, {"name": "clarity"}],
        "rounds": 1,
        "deadline_s": 90.5,
    },
}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.pages.approve, "OPENED_WITHIN_S", 0.0)


@pytest.fixture
def client() -> MemoryCouncilClient:
    return MemoryCouncilClient()


@pytest.fixture
def page(client: MemoryCouncilClient) -> TestClient:
    return page_of(Stage(make.council("DEV"), make.council("QA")), client=client)


def test_the_fields_become_the_plan_of_whoever_sent_them(page: TestClient, client: MemoryCouncilClient) -> None:
    answer = page.post("/approve", data=FIELDS)
    assert answer.status_code == 303, Seen(answer.text).text
    (plan,) = client.approved
    assert plan.items() >= PLAN.items()
    assert (plan["approved_by"], client.keys) == ("anonymous", ["k1"])
    assert plan["story_id"] == plan["plan_id"]
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (asked["plan"], asked["revision"], asked["role"]) == ([plan["plan_id"]], ["k1"], ["DEV"])


def test_a_form_that_is_sent_twice_is_one_approval(page: TestClient, client: MemoryCouncilClient) -> None:
    locations = {page.post("/approve", data=FIELDS).headers["location"] for _ in range(2)}
    assert len(locations) == 1
    assert len({plan["plan_id"] for plan in client.approved}) == len(set(client.keys)) == 1


def test_a_form_that_was_sent_with_another_plan_asks_once_more(
    page: TestClient, client: MemoryCouncilClient
) -> None:
    page.post("/approve", data=FIELDS)
    answer = page.post("/approve", data=FIELDS | {"title": "Drop carts"})
    seen = Seen(answer.text)
    assert (answer.status_code, len(client.approved)) == (409, 1)
    assert "sent before with another plan, which stands" in seen.text
    (key,) = [fields["value"] for _, fields in seen.elements if fields.get("name") == "key"]
    again = page.post("/approve", data=FIELDS | {"title": "Drop carts", "key": str(key)})
    assert (again.status_code, len(client.approved)) == (303, 2)


def test_each_form_has_a_key_of_its_own(page: TestClient) -> None:
    keys = {
        fields["value"]
        for _ in range(2)
        for tag, fields in Seen(page.get("/approve").text).elements
        if fields.get("name") == "key"
    }
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("fields", "where", "sentence"),
    [
        ({"rounds": "many"}, "rounds-wrong", "field constraints.rounds must be an integer"),
        ({"rounds": "9"}, "rounds-wrong", "field constraints.rounds must be"),
        ({"rubric": "a\na"}, "rubric-wrong", "criterion names must differ"),
        ({"roles": []}, "roles-wrong", "field roles is empty; name a role"),
        ({"title": "x" * 200_001}, "title-wrong", "field title"),
    ],
)
def test_a_mistake_stands_beside_its_field_and_nothing_is_lost(
    page: TestClient, client: MemoryCouncilClient, fields: dict[str, Any], where: str, sentence: str
) -> None:
    answer = page.post("/approve", data=FIELDS | fields)
    seen = Seen(answer.text)
    assert answer.status_code == 400
    assert sentence in seen.text
    assert where in [attributes.get("id") for _, attributes in seen.elements]
    assert ("input", "k1") in [(tag, attributes.get("value")) for tag, attributes in seen.elements]
    assert "Carts are lost." in seen.text
    assert client.approved == []


@pytest.mark.parametrize(
    ("refusal", "status", "same_key"),
    [(RequestRefused("other content"), 400, False), (RequestUndelivered("NATS is away"), 503, True)],
)
def test_what_is_not_taken_is_told_and_can_be_tried_again(
    page: TestClient, client: MemoryCouncilClient, refusal: Exception, status: int, same_key: bool
) -> None:
    client.refusal = refusal
    answer = page.post("/approve", data=FIELDS)
    assert answer.status_code == status
    assert str(refusal) in Seen(answer.text).text
    assert ('value="k1"' in answer.text) is same_key


def test_a_plan_in_json_is_taken_as_it_is(page: TestClient, client: MemoryCouncilClient) -> None:
    written = {**PLAN, "plan_id": "P", "approved_by": "mallory", "timestamp": "2026-01-31T12:00:00Z", "ours": [1]}
    assert page.post("/approve", data={"json": json.dumps(written), "key": "k"}).status_code == 303
    (plan,) = client.approved
    assert plan == {**written, "approved_by": "anonymous", "story_id": "P"}


@pytest.mark.parametrize("text", ["{", "[]", '{"roles": ["DEV"], "x": NaN}', '{"roles": 3}', "[" * 100_000])
def test_json_that_is_no_plan_is_shown_again_with_the_reason(
    page: TestClient, client: MemoryCouncilClient, text: str
) -> None:
    answer = page.post("/approve", data={"json": text})
    assert answer.status_code == 400
    assert '<ul class="problem' in answer.text
    assert text[:100] in Seen(answer.text).text
    assert client.approved == []


def test_an_earlier_plan_fills_the_form() -> None:
    stage = Stage(make.council("DEV"))
    deliberation = stage.play(make.plan_request(make.plan(**PLAN))).deliberation
    page = page_of(stage)
    seen = Seen(page.get(f"/approve?from={deliberation.deliberation_id}").text)
    values = {attributes.get("name"): attributes.get("value") for _, attributes in seen.elements}
    assert (values["title"], values["plan_id"]) == ("Keep carts", deliberation.plan.plan_id)
    assert "safety = 2: nothing is lost" in seen.text


def test_a_plan_that_the_form_has_no_place_for_is_shown_as_json() -> None:
    stage = Stage(make.council("DEV"))
    demanding = make.plan(constraints=Constraints(output_schema={"type": "object"}))
    identity = stage.play(make.plan_request(demanding)).deliberation.deliberation_id
    shown = Seen(page_of(stage).get(f"/approve?from={identity}").text).text
    assert '"output_schema": { "type": "object" }' in shown


@pytest.mark.parametrize("plan", [make.plan(**PLAN), make.plan(title="a\nb"), make.plan(priority=3)])
def test_a_form_says_all_of_its_plan_or_there_is_none(plan: Any) -> None:
    form = PlanForm.of(plan)
    assert form is None or make.plan(**form.payload).model_dump(exclude={"timestamp"}) == plan.model_dump(
        exclude={"timestamp"}
    )


def test_the_sample_fills_the_form_and_asks_nobody(page: TestClient, client: MemoryCouncilClient) -> None:
    seen = Seen(page.get("/approve?sample=1").text)
    assert "A reset link works once" in seen.text
    assert client.approved == []
    assert (
        page.post("/approve", data={**sample_plan(["DEV"]).payload, "acceptance_criteria": ""}).status_code == 303
    )


def test_where_it_is_open_the_form_leads_to_its_deliberation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.pages.approve, "OPENED_WITHIN_S", 60.0)
    stage = Stage(make.council("DEV"))
    client = MemoryCouncilClient(deliberate=stage.approve)
    location = page_of(stage, client=client).post("/approve", data=FIELDS).headers["location"]
    assert location == f"/deliberations/{stage.queue.work[-1][0]}"


def test_who_waits_is_led_on_once_it_is_open() -> None:
    stage = Stage(make.council("DEV"))
    request = make.plan_request()
    page = page_of(stage)
    named = {"plan": request.plan.plan_id, "revision": request.revision, "role": "DEV"}
    path = f"/approved?{urlencode(named)}"
    assert "is about to be opened" in Seen(page.get(path).text).text
    identity = stage.open(request)
    assert page.get(path).headers["location"] == f"/deliberations/{identity}"
    assert page.get(path, headers={"HX-Request": "true"}).headers["HX-Redirect"] == f"/deliberations/{identity}"


def test_approving_too_often_has_to_wait() -> None:
    client = MemoryCouncilClient()
    page = page_of(Stage(make.council("DEV")), client=client, approvals_per_minute=2)
    statuses = [page.post(path, data=FIELDS).status_code for path in ("/approve", "/approve", "/approve")]
    assert statuses == [303, 303, 429]
    assert page.post("/api/approvals", json=PLAN).status_code == 429
    assert page.post("/deliberations/d-1/redeliberate").status_code == 429
    assert page.post("/api/deliberations/d-1/redeliberate").status_code == 429
    assert len(client.approved) == 2
