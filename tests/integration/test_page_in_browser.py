"""The page in a real browser, over ports in memory: all can read it, and no text has it do anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import pytest
import uvicorn
from playwright.sync_api import Browser, Page

from domain.record import Record
from tests.support import factories as make
from tests.support.chromium import WITHIN_MS, chromium, window
from tests.support.hostile_deliberation import TEXTS, hostile_stage, played
from tests.support.stage import Stage
from tests.support.web import ports_of
from web.app import make_app
from web.options import WebOptions
from workers.processes.ports import HOST, free_port

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
FAULTS = """axe.run().then(found => found.violations
    .filter(fault => ["serious", "critical"].includes(fault.impact))
    .map(fault => [fault.id, fault.nodes[0].html.slice(0, 300), fault.nodes[0].failureSummary]))"""
CONTROLS = """controls = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter(control => control.checkVisibility({visibilityProperty: true}))"""
FOCUSED = """(() => { const style = getComputedStyle(document.activeElement);
    return [controls.indexOf(document.activeElement),
        style.outlineStyle != "none" && style.outlineWidth != "0px"] })()"""
OPEN_ALL = "document.querySelectorAll('details').forEach(details => { details.open = true })"
MARKUP = "main script, main style, main img, main iframe, main object, main form[action*=evil], main [onload]"


@dataclass(frozen=True)
class Served:
    """A page that is served, and what it shows."""

    address: str
    record: Record
    """A plain decision."""
    stage: Stage

    @property
    def paths(self) -> list[str]:
        """Every kind of page."""
        identity = self.record.deliberation.deliberation_id
        one = f"/deliberations/{identity}"
        councils = ["/councils", "/councils/edit"]
        others = ["/deliberations", "/system", "/approve?sample=1", "/login", "/nothing"]
        return [one, f"{one}/compare/{identity}", f"{one}/redeliberate", "/judge", *councils, *others]

    @property
    def choosing(self) -> str:
        """A page with one of several to choose, which Tab comes to once and arrows go through."""
        return f"/deliberations/{self.record.deliberation.deliberation_id}/judge"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    stage = hostile_stage()
    council = make.council("DEV")
    stage.services.councils.save(council)
    stage.lend(council)
    record = stage.play(make.plan_request(make.plan(title="Keep carts", roles=("DEV",))))
    port = free_port()
    app = make_app(ports_of(stage), WebOptions(port=port), version="0", default_model="tiny")
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + WITHIN_MS / 1000
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    yield Served(f"http://{HOST}:{port}", record, stage)
    # Open streams would be waited for.
    server.should_exit = server.force_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_shuts_out_who_reads_it_otherwise(browser: Browser, served: Served, scheme: str) -> None:
    faults = {}
    with window(browser, scheme=scheme) as on:
        for path in (*served.paths, served.choosing):
            on.page.goto(served.address + path)
            on.page.evaluate(OPEN_ALL)
            on.page.evaluate(AXE)
            faults[path] = on.page.evaluate(FAULTS)
    assert {path: found for path, found in faults.items() if found} == {}


def test_a_phone_has_room_for_what_agents_are_told_to_be(browser: Browser, served: Served) -> None:
    with window(browser, width=360) as on:
        on.page.goto(f"{served.address}/councils")
        widths = on.page.evaluate("[...document.querySelectorAll('td.prose')].map(cell => cell.clientWidth)")
        assert widths
        assert min(widths) > 200
        assert on.page.evaluate("document.documentElement.scrollWidth") == 360


def test_every_control_is_reached_and_seen_without_a_mouse(browser: Browser, served: Served) -> None:
    with window(browser) as on:
        for path in served.paths:
            on.page.goto(served.address + path)
            assert unreached(on.page) == [], path


def unreached(page: Page) -> list[str]:
    """Press Tab until the focus has been everywhere; return what it did not come to, or came to unseen."""
    number = page.evaluate(f"{CONTROLS}; controls.length")
    seen: set[int] = set()
    # A field for a date takes several presses.
    for _ in range(2 * number + 10):
        if len(seen - {-1}) == number:
            break
        page.keyboard.press("Tab")
        index, visible = page.evaluate(FOCUSED)
        if visible:
            seen.add(index)
    left = sorted(set(range(number)) - seen)
    return [str(page.evaluate(f"controls[{index}].outerHTML.slice(0, 200)")) for index in left]


def test_fifty_texts_in_every_field_stay_texts(browser: Browser, served: Served) -> None:
    assert len(TEXTS) == 50
    with window(browser) as on:
        for name, text in TEXTS.items():
            identity = played(text, served.stage).deliberation.deliberation_id
            on.page.goto(f"{served.address}/deliberations/{identity}")
            on.page.evaluate(OPEN_ALL)
            assert on.page.locator(MARKUP).count() == 0, name
            assert on.complaints == [], name
        for path in ("/deliberations", "/deliberations?skip=25", "/councils"):
            on.page.goto(served.address + path)
            assert on.page.locator(MARKUP).count() == 0, path
        assert on.complaints == []
        assert on.page.url == f"{served.address}/councils"
