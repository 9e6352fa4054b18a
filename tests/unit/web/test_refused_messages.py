"""Messages that became dead letters stand among deliberations, found by the same filter."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from domain.dead_letter import DeadLetter
from domain.errors import SystemUnreadable
from domain.plan import MOST_ROLES
from domain.views.refused import refused_message
from tests.support import factories as make
from tests.support.hostile_text import commands_in
from tests.support.in_memory.dead_letter_desk import MemoryDeadLetterDesk
from tests.support.stage import Stage
from tests.support.web import Seen, ports_of
from web.app import make_app
from web.listing import PAGE
from web.options import WebOptions

PLAN = {"plan_id": "plan-7", "title": "Wrong roles", "roles": ["POET", "QA"]}


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def letter(number: int, at: float, data: bytes = json.dumps(PLAN).encode()) -> DeadLetter:
    moment = datetime.fromtimestamp(at, UTC).isoformat()
    return DeadLetter(
        sequence=number, reason="roles: unknown", subject="planning.plan.approved", at=moment, data=data
    )


def page(stage: Stage, *letters: DeadLetter, unreadable: SystemUnreadable | None = None) -> TestClient:
    desk = MemoryDeadLetterDesk({one.sequence: one for one in letters}, unreadable=unreadable)
    ports = replace(ports_of(stage), dead_letters=desk)
    return TestClient(make_app(ports, WebOptions(), version="0"), base_url="http://127.0.0.1:8400")


def listed(client: TestClient, path: str = "/deliberations") -> list[str]:
    """Return where the rows of a list lead to."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    begins = ("/deliberations/d-", "/system/dead-letters/")
    return [link for link in Seen(answer.text).links if link.startswith(begins)]


def test_they_stand_where_their_time_is(stage: Stage) -> None:
    first = stage.open(make.plan_request(make.plan(plan_id="first")))
    between = stage.clock.now() + 5
    stage.clock.advance(10.0)
    second = stage.open(make.plan_request(make.plan(plan_id="second")))
    client = page(stage, letter(3, between))
    assert listed(client) == [f"/deliberations/{second}", "/system/dead-letters/3", f"/deliberations/{first}"]
    shown = Seen(client.get("/deliberations").text).text
    for text in ("Wrong roles", "POET, QA", "refused", "roles: unknown"):
        assert text in shown


def test_a_message_of_a_megabyte_is_a_short_row(stage: Stage) -> None:
    """What refused it may be its length, and fifty of them are listed together."""
    many = json.dumps({"title": "x" * 100_000, "roles": ["DEV"] * 12_000}).encode()
    long = json.dumps({"title": "Long", "roles": ["DEV"] * 150_000}).encode()
    client = page(
        stage, *(letter(1 + number, stage.clock.now(), many) for number in range(40)), letter(99, 1.0, long)
    )
    answer = client.get("/api/deliberations")
    rows = {row["number"]: row for row in answer.json()["refused"]}
    assert len(rows) == 41
    assert len(answer.content) < 100_000
    assert rows[1]["roles"] == ["DEV"] * MOST_ROLES
    assert (rows[99]["title"], rows[99]["roles"]) == ("", [])


def test_each_stands_on_one_page_of_a_long_list(stage: Stage) -> None:
    letters = []
    for number in range(1, 2 * PAGE + 4):
        stage.open(make.plan_request(make.plan(plan_id=f"plan {number}")))
        letters += [letter(number, stage.clock.now() + 0.5)] if number % 3 == 0 else []
        stage.clock.advance(1.0)
    client, found = page(stage, *letters), list[str]()
    path = "/deliberations"
    while path:
        found += listed(client, path)
        path = next((link for link in Seen(client.get(path).text).links if "skip=" in link), "")
    assert len(found) == len(set(found)) == 2 * PAGE + 3 + len(letters)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=refused", True),
        ("text=wrong+r", True),
        ("text=unknown", True),
        ("role=poet", True),
        ("plan=plan-7", True),
        ("state=failed", False),
        ("text=needle", False),
        ("role=DEV", False),
        ("plan=plan-8", False),
        ("until=2000-01-01", False),
    ],
)
def test_the_filter_holds_for_them_too(stage: Stage, query: str, found: bool) -> None:
    stage.open()
    rows = listed(page(stage, letter(3, stage.clock.now())), f"/deliberations?{query}")
    assert ("/system/dead-letters/3" in rows) is found
    if query == "state=refused":
        assert rows == ["/system/dead-letters/3"]


def test_what_can_not_be_read_is_said_and_the_list_is_there(stage: Stage) -> None:
    opened = stage.open()
    client = page(stage, unreadable=SystemUnreadable("this login may not read dead letters"))
    assert listed(client) == [f"/deliberations/{opened}"]
    assert "may not read dead letters" in Seen(client.get("/deliberations").text).text


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"\xff\x00",
            b"[]",
            b"5",
            b"null",
            b"[" * 100_000,
            b'{"title": 5, "roles": {"a": 1}, "plan_id": []}',
        ),
        json.dumps({"title": "<script>alert(1)</script>\u202e", "roles": ["<img src=x>", 5, None]}).encode(),
    ],
)
def test_whatever_was_refused_is_a_row_of_text(stage: Stage, data: bytes) -> None:
    client = page(stage, letter(3, 1.0, data))
    assert listed(client) == ["/system/dead-letters/3"]
    document = client.get("/deliberations").text
    assert commands_in(document) == []
    elements = Seen(document).elements
    assert all("nonce" in attributes for tag, attributes in elements if tag == "script")
    assert "x" not in {attributes.get("src") for _, attributes in elements}


@pytest.mark.parametrize("envelope", ["data", "payload"])
def test_a_plan_in_an_envelope_is_read(envelope: str) -> None:
    row = refused_message(letter(1, 1.0, json.dumps({envelope: PLAN, "type": "x"}).encode()))
    assert (row.named, row.plan_id, row.roles) == ("Wrong roles", "plan-7", ("POET", "QA"))


def test_programs_are_told_them_beside_deliberations(stage: Stage) -> None:
    stage.open(make.plan_request(make.plan(plan_id="plan-7")))
    client = page(stage, letter(3, stage.clock.now() + 1), letter(4, stage.clock.now() + 2, b"{}"))
    told = client.get("/api/deliberations").json()
    assert [row["number"] for row in told["refused"]] == [4, 3]
    assert told["refused"][1] == {
        "number": 3,
        "at": stage.clock.now() + 1,
        "subject": "planning.plan.approved",
        "reason": "roles: unknown",
        "title": "Wrong roles",
        "plan_id": "plan-7",
        "roles": ["POET", "QA"],
    }
    alone = client.get("/api/deliberations?state=refused&role=qa").json()
    assert (alone["deliberations"], [row["number"] for row in alone["refused"]]) == ([], [3])
    assert client.get("/api/deliberations?state=decided").json()["refused"] == []
    away = page(stage, unreadable=SystemUnreadable("NATS is away")).get("/api/deliberations").json()
    assert (len(away["deliberations"]), away["refused_problem"]) == (1, "NATS is away")
