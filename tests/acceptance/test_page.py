"""The page in a real browser beside a running pipeline: log in, watch a council decide, read why.

The whole way of a person, on the embedded stack, is in test_stack_commands.py.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect

from bridge.client import BlockingConclave
from bridge.streams import DEAD_LETTERS
from domain.rights import Right
from tests.acceptance.conftest import Pipeline
from tests.acceptance.test_pipeline import approval
from tests.support import person_at_page
from tests.support.chromium import chromium, window
from tests.support.factories import fresh
from tests.support.person_at_page import SHOTS, picture
from tests.support.scripted_answers import free_text
from tests.support.web_page import web_page
from workers.portal import Portal
from workers.processes.ports import HOST, free_port

PASSWORD = "open sesame"
HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} \u202egnp.exe\u200b
<a href="javascript:alert(3)" hx-get="/logout" hx-trigger="load" data-hx-on:load="alert(4)">x</a>
</pre></details><style>*{display:none}</style><svg onload=alert(5)>"""


@pytest.fixture(scope="module")
def address(pipeline: Pipeline) -> Iterator[str]:
    port = free_port()
    hashed = PasswordHasher().hash(PASSWORD)
    users = {"CONCLAVE_WEB_USERS": json.dumps({"ada": hashed})}
    rights = {"CONCLAVE_WEB_RIGHTS": json.dumps({"ada": list(Right)})}
    env = {**pipeline.fleet.env, **users, **rights}
    service = pipeline.fleet.add(web_page(port, **env)).start()
    yield f"http://{HOST}:{port}"
    assert service.stop() == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def hostile(pipeline: Pipeline) -> Iterator[str]:
    """The id of a decided deliberation whose plan and proposals are full of hostile texts."""
    plain = pipeline.engine.script.text
    pipeline.engine.script.text = lambda body: f"{free_text(body)}\n{HOSTILE}"
    plan = approval(title=f"Rename files {HOSTILE}", description=HOSTILE, acceptance_criteria=[HOSTILE])
    try:
        with BlockingConclave(pipeline.nats_url) as conclave:
            yield conclave.decide(plan).deliberation_id
    finally:
        pipeline.engine.script.text = plain


def log_in(page: Page, address: str, path: str = "/deliberations") -> None:
    person_at_page.log_in(page, address, "ada", PASSWORD, path)


def test_a_person_watches_a_council_decide_and_reads_why(
    pipeline: Pipeline, browser: Browser, address: str
) -> None:
    title = "Let users reset their password by mail"
    with window(browser) as on, BlockingConclave(pipeline.nats_url) as conclave:
        page = on.page
        log_in(page, address)
        approved = conclave.approve(approval(title=title))
        row = page.get_by_role("row").filter(has_text=title)
        expect(row.get_by_text("decided")).to_be_visible()
        decision = conclave.wait(approved)

        row.get_by_role("link").click()
        assert decision.winner is not None
        expect(page.get_by_role("heading", name=decision.winner.agent_id)).to_be_visible()
        best = decision.decisions[0]
        expect(page.locator("details.proposal").first).to_contain_text(f"{best.score:.2f}")
        expect(page.locator("details.proposal pre").first).to_contain_text(best.proposal.content.strip()[:60])
        for scores in decision.ranking.matrix.values():
            for score in scores.values():
                expect(page.locator("table.heat")).to_contain_text(f"{score:.2f}")

        picture(page, "decision")
        ballot = page.locator(".ballots details").first
        ballot.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(ballot.locator("tbody th").first).to_have_text("alone")
        ballot.get_by_role("link").click()
        expect(page.locator("pre")).to_contain_text("PROPOSAL ===")
        assert on.complaints == []


def test_a_person_cancels_what_still_runs(pipeline: Pipeline, browser: Browser, address: str) -> None:
    title = fresh("Dropped plan")
    pipeline.engine.script.latency_s, before = 60.0, pipeline.engine.script.latency_s
    try:
        with window(browser) as on, BlockingConclave(pipeline.nats_url) as conclave:
            page = on.page
            log_in(page, address)
            conclave.approve(approval(title=title))
            page.get_by_role("row").filter(has_text=title).get_by_role("link").click()
            page.get_by_role("link", name="Cancel", exact=True).click()
            page.get_by_label("Reason").fill("the customer left")
            pipeline.engine.script.latency_s = before
            page.get_by_role("button", name="Cancel it").click()
            expect(page.locator(".outcome")).to_contain_text("cancelled by ada: the customer left")
            assert on.complaints == []
    finally:
        pipeline.engine.script.latency_s = before


def test_an_open_deliberation_changes_under_the_eyes_of_who_watches(
    pipeline: Pipeline, browser: Browser, address: str
) -> None:
    title = fresh("Slow plan")
    latency = pipeline.engine.script.latency_s
    pipeline.engine.script.latency_s = 2.0
    try:
        with window(browser) as on, BlockingConclave(pipeline.nats_url) as conclave:
            page = on.page
            log_in(page, address)
            conclave.approve(approval(title=title))
            page.get_by_role("row").filter(has_text=title).get_by_role("link").click()
            expect(page.locator(".stages")).to_contain_text("running")
            page.evaluate("window.never_loaded_anew = true")
            expect(page.locator(".outcome")).to_contain_text("Winner")
            assert page.evaluate("window.never_loaded_anew")
            assert on.complaints == []
    finally:
        pipeline.engine.script.latency_s = latency


def test_a_person_changes_a_council_after_a_look_at_the_difference(browser: Browser, address: str) -> None:
    role = fresh("OPS").upper()
    with window(browser) as on:
        page = on.page
        log_in(page, address, "/councils/edit")
        page.get_by_label("Councils as YAML").fill(f"role: {role}\nagents: [{{agent_id: one}}, {{agent_id: two}}]")
        page.get_by_role("button", name="See the difference").first.click()
        expect(page.get_by_role("heading", name="1 council will change")).to_be_visible()
        expect(page.locator("tr.added")).to_have_count(5)
        picture(page, "councils-preview")
        page.get_by_role("button", name="Apply").click()
        expect(page.get_by_role("heading", name=role)).to_be_visible()
        page.get_by_role("link", name=f"Edit {role}").click()
        expect(page.get_by_label("Councils as YAML")).to_have_value(re.compile(f"role: {role}"))
        assert on.complaints == []


def test_an_operator_sends_a_dead_letter_again_and_deletes_it(
    pipeline: Pipeline, browser: Browser, address: str
) -> None:
    """It is as wrong as before, so that it becomes a dead letter once more."""

    async def publish() -> None:
        client = await nats.connect(pipeline.nats_url)
        await client.jetstream().purge_stream(DEAD_LETTERS)  # those of other tests on this pipeline
        await client.jetstream().publish("planning.plan.approved", b'{"roles": 5}')
        await client.close()

    portal = Portal()  # playwright's loop runs in this thread
    portal.call(publish)
    portal.close()
    with window(browser) as on:
        page = on.page
        log_in(page, address, "/system")
        rows = page.get_by_role("region", name="Table of dead letters").get_by_role("rowheader")
        expect(rows).to_have_count(1)
        first = rows.inner_text()
        expect(page.get_by_role("region", name="Table of workers")).to_contain_text("control")
        picture(page, "system")
        rows.get_by_role("link").click()
        expect(page.locator("pre")).to_have_text('{"roles": 5}')
        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_role("status")).to_have_text("The message was sent again.")
        # The page looks anew by itself, and finds what the bridge has rejected again.
        expect(rows).not_to_have_text(first)
        rows.get_by_role("link").click()
        page.get_by_text("Delete it", exact=True).click()
        page.get_by_role("button", name="Delete it for good").click()
        expect(page.get_by_text("No message was rejected")).to_be_visible()
        assert on.complaints == []


def test_hostile_texts_stay_texts(browser: Browser, address: str, hostile: str) -> None:
    with window(browser) as on:
        page = on.page
        log_in(page, address)
        for path in ("/deliberations", f"/deliberations/{hostile}", "/deliberations?text=%3Cscript%3E"):
            page.goto(f"{address}{path}")
            for summary in page.locator("summary").all():
                summary.click()
        page.goto(f"{address}/deliberations/{hostile}")
        expect(page.locator("h1")).to_contain_text("<script>alert(1)</script>")
        expect(page.locator("h1")).to_contain_text(r"\u202egnp.exe\u200b")
        expect(page.locator("details.proposal pre").first).to_contain_text("onerror=alert(2)")
        assert page.locator("script:not([nonce])").count() == 0
        assert page.locator("main style, main svg[onload], main img, main [hx-get*=logout]").count() == 0
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        assert on.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1366, 2560])
def test_pages_fit_every_screen(
    browser: Browser, address: str, hostile: str, width: int, scheme: str, tmp_path: Path
) -> None:
    folder = Path(os.environ.get(SHOTS, tmp_path))
    with window(browser, width=width, height=1440 if width > 2000 else 850, scheme=scheme) as on:
        log_in(on.page, address)
        for name, path in (
            ("deliberations", "/deliberations"),
            ("deliberation", f"/deliberations/{hostile}"),
            ("councils", "/councils"),
            ("approve", "/approve?sample=1"),
            ("judge", "/judge"),
            ("judging", f"/deliberations/{hostile}/judge"),
            ("redeliberate", f"/deliberations/{hostile}/redeliberate"),
            ("councils-edit", "/councils/edit"),
            ("system", "/system"),
        ):
            on.page.goto(f"{address}{path}")
            wider = on.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider == 0, f"{name} is {wider} pixels wider than the screen"
            on.page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=name == "deliberation")
        assert on.complaints == []


def test_without_a_login_nothing_is_shown(browser: Browser, address: str, hostile: str) -> None:
    with window(browser) as on:
        on.page.goto(f"{address}/deliberations/{hostile}")
        expect(on.page).to_have_url(re.compile(r"/login\?next="))
        on.page.get_by_label("Name").fill("ada")
        on.page.get_by_label("Password").fill("wrong")
        on.page.get_by_role("button", name="Log in").click()
        expect(on.page.get_by_role("alert")).to_have_text("Name or password is wrong.")
        on.page.get_by_label("Name").fill("ada")
        on.page.get_by_label("Password").fill(PASSWORD)
        on.page.get_by_role("button", name="Log in").click()
        expect(on.page).to_have_url(re.compile(hostile))
