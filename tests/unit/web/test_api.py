"""Programs read what people see, under names that the committed OpenAPI document says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from domain.statistics import statistics
from domain.views.summary import details
from tests.support import factories as make
from tests.support.stage import Stage
from tests.support.web import browser

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "schema" / "openapi.json").read_text(encoding="utf-8"))


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"))


def answered(stage: Stage, path: str, described: str = "") -> Any:
    """Return an answer after comparing it with its schema in the document."""
    answer = browser(stage).get(path)
    assert answer.status_code == 200, answer.text
    schema = DOCUMENT["paths"][described or path]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.json())
    return answer.json()


def test_one_deliberation_is_what_the_command_line_prints(stage: Stage) -> None:
    record = stage.play()
    deliberation_id = record.deliberation.deliberation_id
    shown = answered(stage, f"/api/deliberations/{deliberation_id}", "/api/deliberations/{deliberation_id}")
    assert shown == details(record, (), stage.clock.now()).model_dump(mode="json")


def test_a_list_is_filtered_and_paged(stage: Stage) -> None:
    opened = [stage.open(make.plan_request(make.plan(title=f"Plan {n}"))) for n in range(30)]
    first = answered(stage, "/api/deliberations")
    second = answered(stage, f"/api/deliberations?skip={first['older']}", "/api/deliberations")
    assert second["older"] is None
    found = [row["deliberation_id"] for page in (first, second) for row in page["deliberations"]]
    assert sorted(found) == sorted(opened)
    wanted = answered(stage, "/api/deliberations?text=plan%207&state=proposing", "/api/deliberations")
    assert [row["title"] for row in wanted["deliberations"]] == ["Plan 7"]


def test_councils_and_figures(stage: Stage) -> None:
    stage.play()
    listed = answered(stage, "/api/councils")
    agents = ["agent-1", "agent-2", "agent-3"]
    assert [agent["agent_id"] for agent in listed["councils"][0]["agents"]] == agents
    assert [member["agent_id"] for member in listed["standing"][0]["members"]] == agents
    assert sum(member["won"] for member in listed["standing"][0]["members"]) == 1
    figures = answered(stage, "/api/stats")["deliberations"]
    assert figures == statistics(stage.services.deliberations.counts()).model_dump(mode="json")
    assert figures["total"]["decided"] == 1


def test_what_is_not_there_or_can_not_be_meant_is_said_in_json(stage: Stage) -> None:
    page = browser(stage)
    for path, status in (
        ("/api/deliberations/d-0", 404),
        ("/api/deliberations?state=unknown", 400),
        ("/api/deliberations?skip=x", 400),
        ("/api/nothing", 404),
    ):
        answer = page.get(path)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_the_page_serves_its_document(stage: Stage) -> None:
    assert browser(stage).get("/api/openapi.json").json()["paths"] == DOCUMENT["paths"]
