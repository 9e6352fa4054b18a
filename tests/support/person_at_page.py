"""A person at the page, by what it offers alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

SHOTS = "CONCLAVE_TEST_SHOTS"
"""A folder in which pictures of the pages are kept."""


def log_in(page: Page, address: str, name: str, password: str, path: str = "/deliberations") -> None:
    """Log in by keyboard alone."""
    page.goto(f"{address}{path}")
    page.get_by_label("Name").focus()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def picture(page: Page, name: str) -> None:
    """Keep a picture of what the window shows, where pictures are kept."""
    if SHOTS in os.environ:
        page.screenshot(path=Path(os.environ[SHOTS]) / f"{name}.png")


def approve_the_sample(page: Page, title: str, *, max_tokens: int) -> None:
    """Approve it under another title, with proposals of that length, and see it open."""
    page.get_by_role("link", name="Approve", exact=True).click()
    page.get_by_role("link", name="Try a sample").click()
    page.get_by_label("Title").fill(title)
    page.get_by_text("Constraints and names").click()
    page.get_by_label("Tokens of a proposal").fill(str(max_tokens))
    picture(page, "approve")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def watch_it_decided(page: Page, *, within_ms: float) -> None:
    """See each stage end without loading the page anew, then the winner, its scores and a reviewer's view."""
    page.evaluate("window.never_loaded_anew = true")
    for stage in ("proposals", "review"):
        expect(page.locator(".stages .done").get_by_text(stage)).to_be_visible(timeout=within_ms)
    outcome = page.locator(".outcome")
    expect(outcome).to_contain_text("Winner", timeout=within_ms)
    assert page.evaluate("window.never_loaded_anew")
    winner = outcome.get_by_role("heading").inner_text()
    best = page.locator("details.proposal").first
    expect(best).to_contain_text(winner)
    expect(outcome).to_contain_text(best.locator(".score").inner_text())
    expect(page.locator("table.heat td.cell").first).to_be_visible()
    ballot = page.locator(".ballots details:not(:has(.flag))").first  # a slow machine may have some time out
    ballot.locator("summary").click()
    expect(ballot.locator("tbody th").first).to_have_text("alone")
    picture(page, "decision")


def prefer_another(page: Page, name: str, reason: str) -> None:
    """Prefer another proposal than the winner, and see that it was taken."""
    page.get_by_role("link", name="Judge", exact=True).last.click()
    page.get_by_role("radio", name="Prefer").first.check()
    page.get_by_label("Reason").fill(reason)
    picture(page, "judge")
    page.get_by_role("button", name="Say so").click()
    expect(page.locator(".outcome")).to_contain_text(f"{name} prefers")
    expect(page.locator(".outcome")).to_contain_text(reason)


def have_it_deliberated_again(page: Page, model: str, *, within_ms: float) -> None:
    """Have the same plan deliberated on a model, see its end, and compare both decisions."""
    page.get_by_role("link", name="Deliberate again").click()
    page.get_by_label("Model").select_option(model)
    picture(page, "redeliberate")
    page.get_by_role("button", name="Deliberate again").click()
    revisions = page.locator(".chain li")
    expect(revisions).to_have_count(2, timeout=within_ms)
    expect(page.locator(".outcome")).to_contain_text("Winner", timeout=within_ms)
    expect(revisions.last).to_have_attribute("aria-current", "true")
    revisions.first.get_by_role("link", name="compare").click()
    expect(page).to_have_url(re.compile("/compare/"))
    for row in ("Winner", "Stability", "P(winner)"):
        expect(page.get_by_role("rowheader", name=row, exact=True)).to_be_visible()
    picture(page, "compare")
