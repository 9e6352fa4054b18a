"""A real browser: Debian's chromium, driven by playwright; what it complains of is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

REPORT = """
addEventListener("securitypolicyviolation", (event) => console.error(`violation: ${event.violatedDirective}`));
"""
WITHIN_MS = 120_000
"""Milliseconds that a page may take; a slow machine is no fault."""


@dataclass
class Window:
    """A page of the browser, and every error that its console has shown."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser while the block runs. A machine without it fails the test."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("there is no chromium: apt-get install chromium")
    expect.set_options(timeout=WITHIN_MS)
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, *, width: int = 1366, height: int = 850, scheme: str = "light") -> Iterator[Window]:
    """Open a window without cookies."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.add_init_script(REPORT)
    opened = Window(context.new_page())
    opened.page.set_default_timeout(WITHIN_MS)
    opened.page.on("console", lambda m: opened.complaints.append(m.text) if m.type == "error" else None)
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("dialog", lambda dialog: opened.complaints.append(f"dialog: {dialog.message}"))
    try:
        yield opened
    finally:
        context.close()
