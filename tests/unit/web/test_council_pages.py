"""Councils with who serves and who works, and how a person changes them: text, difference, then the change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from domain.council import Council
from tests.support import factories as make
from tests.support.hostile_text import HOSTILE
from tests.support.stage import Stage
from tests.support.web import Seen, browser, ports_of
from web.app import make_app
from web.options import WebOptions
from workers.councils.council_notation import YamlCouncils

ORIGIN = {"Origin": "http://127.0.0.1:8400"}
NOTATION = YamlCouncils(agents=16)


@pytest.fixture
def stage() -> Stage:
    return Stage(make.council("DEV"), make.council("QA"))


def post(page: TestClient, path: str, **fields: str) -> Any:
    return page.post(path, data=fields, headers=ORIGIN)


def field(answer: Any, name: str) -> str:
    """Return what a hidden field of the page holds."""
    inputs = [found for tag, found in Seen(answer.text).elements if tag == "input"]
    (value,) = [found["value"] for found in inputs if found.get("name") == name]
    assert value is not None
    return value


def edited(council: Council, **changes: Any) -> Council:
    first, *others = council.agents
    return council.model_copy(update={"agents": (first.model_copy(update=changes), *others)})


def test_the_page_says_who_serves_who_works_and_who_won(stage: Stage) -> None:
    won = stage.play()
    assert won.closed is not None
    open_ = stage.open(make.plan_request(make.plan(plan_id="another")))
    stage.generate(open_, "agent-1")
    rows = [" ".join(row.split()) for row in browser(stage).get("/councils").text.split("<tr>")]
    dev = rows[2:5]
    assert ["at work" in row for row in dev] == [False, True, True]
    assert all("1 engine" in row for row in dev)
    assert sum('<td class="n">1</td>' in row for row in dev) == 1
    stage.services.engines.withdraw("tiny")
    assert "served by nobody" in Seen(browser(stage).get("/councils").text).text


def test_without_councils_the_page_says_how_to_begin() -> None:
    shown = Seen(browser(Stage()).get("/councils").text)
    assert "/councils/edit" in shown.links
    assert "council apply --default" in shown.text
    assert NOTATION.read(text_of(browser(Stage()), "/councils/edit"))


def text_of(page: TestClient, path: str) -> str:
    """Return what stands in the text field."""
    document = page.get(path).text
    return Seen(document[document.index("<textarea") : document.index("</textarea>")]).texts[0].removeprefix("\n")


@pytest.mark.parametrize("role", ["DEV", "dev"])
def test_one_council_or_all_are_offered_as_text(stage: Stage, role: str) -> None:
    page, all_ = browser(stage), stage.services.councils.all()
    assert NOTATION.read(text_of(page, f"/councils/edit?role={role}")) == all_[:1]
    assert NOTATION.read(text_of(page, "/councils/edit")) == all_
    assert page.get("/councils/edit?role=POET").status_code == 404


def test_a_change_is_shown_before_it_is_made(stage: Stage) -> None:
    page, wanted = browser(stage), edited(make.council("DEV"), temperature=0.125)
    before = stage.services.councils.all()
    preview = post(page, "/councils/preview", text=NOTATION.write([wanted, make.council("OPS")]))
    shown = Seen(preview.text).text
    assert "2 councils will change" in shown
    assert "+ temperature: 0.125" in shown
    assert stage.services.councils.all() == before
    applied = post(page, "/councils/apply", text=field(preview, "text"), seen=field(preview, "seen"))
    assert (applied.status_code, applied.headers["location"]) == (303, "/councils")
    assert stage.services.councils.all() == (wanted, make.council("OPS"), make.council("QA"))


def test_what_is_there_already_is_no_change(stage: Stage) -> None:
    preview = post(browser(stage), "/councils/preview", text=NOTATION.write(stage.services.councils.all()))
    assert "Nothing will change" in Seen(preview.text).text
    assert "/councils/apply" not in preview.text


@pytest.mark.parametrize("seen", ["", "0" * 24, "meanwhile"])
def test_nothing_is_applied_that_was_not_seen(stage: Stage, seen: str) -> None:
    page, wanted = browser(stage), edited(make.council("DEV"), temperature=0.125)
    preview = post(page, "/councils/preview", text=NOTATION.write([wanted]))
    if seen == "meanwhile":
        stage.services.councils.save(edited(make.council("DEV"), temperature=1.5))
        seen = field(preview, "seen")
    before = stage.services.councils.all()
    refused = post(page, "/councils/apply", text=field(preview, "text"), seen=seen)
    assert refused.status_code == 409
    assert "have changed meanwhile" in Seen(refused.text).text
    assert stage.services.councils.all() == before
    again = post(page, "/councils/apply", text=field(refused, "text"), seen=field(refused, "seen"))
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no council"),
        ("councils: [", "neither YAML nor JSON"),
        ("role: DEV\nagents: [{agent_id: a, temperatur: 1}]", "write temperature"),
        (f"role: BIG\nagents: {[{'agent_id': f'a{n}'} for n in range(17)]}", "more than 16 entries"),
    ],
)
def test_mistakes_are_named_beside_the_text(stage: Stage, text: str, sentence: str) -> None:
    before = stage.services.councils.all()
    for path in ("/councils/preview", "/councils/apply"):
        answer = post(browser(stage), path, text=text)
        assert answer.status_code == 400
        assert sentence in Seen(answer.text).text
        assert " ".join(text.split()) in Seen(answer.text).text
    assert stage.services.councils.all() == before


def test_who_may_not_operate_sees_no_button_and_changes_nothing(stage: Stage) -> None:
    hashed = PasswordHasher(time_cost=1, memory_cost=64).hash("open sesame")
    page = browser(stage, users={"ada": hashed}, rights={"ada": ["read"]})
    post(page, "/login", name="ada", password="open sesame")
    assert "/councils/edit" not in page.get("/councils").text
    before = stage.services.councils.all()
    text = NOTATION.write([make.council("NEW")])
    refused = [
        page.get("/councils/edit"),
        post(page, "/councils/preview", text=text),
        post(page, "/councils/apply", text=text, seen="x"),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert stage.services.councils.all() == before


def test_a_login_of_the_page_that_may_not_write_is_said_to_lack_that(stage: Stage) -> None:
    class Denied(Exception):
        """As a store raises whose login lacks a right."""

    class ReadOnly:
        def all(self) -> tuple[Council, ...]:
            return stage.services.councils.all()

        def save(self, council: Council) -> None:
            raise Denied

    ports = replace(ports_of(stage), councils=ReadOnly())  # type: ignore[arg-type]
    page = TestClient(
        make_app(ports, WebOptions(), version="0", denials=(Denied,)), base_url="http://127.0.0.1:8400"
    )
    preview = post(page, "/councils/preview", text=NOTATION.write([make.council("NEW")]))
    refused = post(page, "/councils/apply", text=field(preview, "text"), seen=field(preview, "seen"))
    assert refused.status_code == 503
    assert "own login may not do this" in Seen(refused.text).text


def test_hidden_characters_survive_an_edit_and_are_seen(stage: Stage) -> None:
    hostile = edited(make.council("DEV"), persona=f"You {HOSTILE} </textarea><script>alert(1)</script>")
    page = browser(stage)
    preview = post(page, "/councils/preview", text=NOTATION.write([hostile]))
    post(page, "/councils/apply", text=field(preview, "text"), seen=field(preview, "seen"))
    assert stage.services.councils.all()[0] == hostile
    assert NOTATION.read(text_of(page, "/councils/edit?role=DEV")) == (hostile,)


@pytest.mark.parametrize("path", ["/councils/preview", "/councils/apply"])
def test_a_form_of_another_page_and_a_long_one_are_refused(stage: Stage, path: str) -> None:
    page = browser(stage)
    assert page.post(path, data={"text": "x"}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert post(page, path, text="x" * 300_000).status_code == 413
