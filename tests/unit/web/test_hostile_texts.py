"""Texts of agents, plans and engines stay texts: they add no element and no attribute to any page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tests.support import factories as make
from tests.support.hostile_deliberation import PLAIN, TEXTS, hostile_stage, played
from tests.support.hostile_text import commands_in
from tests.support.stage import Stage
from tests.support.web import Seen, browser

PAGES = (
    "/deliberations/ID",
    "/deliberations/ID/compare/ID",
    "/deliberations?plan=PLAN",
    "/councils",
    "/councils/edit",
)
Shapes = set[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Theatre:
    """One page over a stage on which deliberations are played, one for each text."""

    stage: Stage
    client: TestClient

    def documents(self, text: str) -> dict[str, str]:
        """Return every page on which each field holds the text."""
        deliberation = played(text, self.stage).deliberation
        plan = quote(deliberation.plan.plan_id)
        paths = {path: path.replace("ID", deliberation.deliberation_id).replace("PLAN", plan) for path in PAGES}
        answers = {path: self.client.get(actual) for path, actual in paths.items()}
        assert {answer.status_code for answer in answers.values()} == {200}
        return {path: answer.text for path, answer in answers.items()}


@pytest.fixture(scope="module")
def theatre() -> Theatre:
    stage = hostile_stage()
    return Theatre(stage, browser(stage))


@pytest.fixture(scope="module")
def plain(theatre: Theatre) -> dict[str, Shapes]:
    return {path: set(Seen(document).shapes) for path, document in theatre.documents(PLAIN).items()}


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_text_adds_nothing_to_a_page_but_text(name: str, theatre: Theatre, plain: dict[str, Shapes]) -> None:
    for path, document in theatre.documents(TEXTS[name]).items():
        assert set(Seen(document).shapes) <= plain[path], path
        assert commands_in(document) == []


@pytest.fixture(scope="module")
def filtered() -> TestClient:
    return browser(Stage(make.council("DEV")))


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_filter_puts_nothing_into_the_page_but_text(name: str, filtered: TestClient) -> None:
    text = TEXTS[name][:150]
    response = filtered.get("/deliberations", params={"text": text, "plan": text, "role": text})
    assert response.status_code == 200
    empty = Seen(filtered.get("/deliberations", params={"text": "a", "plan": "b", "role": "c"}).text)
    assert set(Seen(response.text).shapes) == set(empty.shapes)


@pytest.mark.parametrize("name", ["script", "path", "megabyte line"])
def test_proposals_and_ballots_as_text_are_no_pages(name: str, theatre: Theatre) -> None:
    document = theatre.documents(TEXTS[name])["/deliberations/ID"]
    links = [link for link in Seen(document).links if "/ballot?" in link or "/proposal?" in link]
    assert links
    for link in links:
        response = theatre.client.get(link)
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["x-content-type-options"] == "nosniff"
