"""The admin's pages in Chromium: they do what they show, and axe-core finds no serious fault in them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.serving import served
from tests.test_admin import LIST, enqueue, state, unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from devinotify.sandbox import Sandbox
    from playwright.sync_api import Page

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
SERVER = ("gunicorn", "--timeout", "120", "-w", "1", "-b", "127.0.0.1:{port}", "application:wsgi")

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: chromium-headless-shell)"),
    pytest.mark.usefixtures("configure"),
]


def faults(page: Page) -> list[str]:
    """Return the serious faults that axe-core finds in what is ours: the page's content."""
    violations = Axe().run(page, context="#content").response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in violations
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def too_wide(page: Page) -> bool:
    """Return whether the page has to be moved sideways to be read."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wide


def log_in(page: Page, where: str) -> None:
    """Open a page as somebody who may see it."""
    page.goto(where)
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()


def send_again(page: Page, server: str, number: int) -> None:
    """Find a message by its number, choose it, read the risk, and have it queued again."""
    log_in(page, f"{server}{LIST}")
    rows = page.locator("#result_list tbody tr")
    rows.first.wait_for()
    assert (2, []) == (rows.count(), faults(page))
    page.get_by_label("Number, in full").fill("8 (916) 123-45-67")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**to=8**")
    assert 1 == rows.count()
    page.get_by_label(f"Choose message {number}").check()
    page.get_by_label("Action").select_option("retry_unknown")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("you pay for it twice").wait_for()
    assert ([], "unknown") == (faults(page), state(number))
    page.get_by_role("button", name="Send 1 again").click()
    page.get_by_text("1 queued again").wait_for()
    assert "queued" == state(number)
    if shot := os.environ.get("SCREENSHOT"):
        page.screenshot(path=shot)
    page.get_by_role("link", name=str(number), exact=True).click()
    page.get_by_role("heading", name=f"SMS {number}").wait_for()
    assert [] == faults(page)


def look_around(page: Page, server: str, number: int) -> None:
    """Look at the panel on the index, the list, a message, and what is said of a number that is none."""
    log_in(page, f"{server}/admin/")
    panel = page.locator("#devinotify-panel")
    panel.wait_for()
    assert ["default", "99997.50", "1 queued, 1 unknown"] == panel.locator("tbody tr > *").all_inner_texts()
    assert ([], False) == (faults(page), too_wide(page))
    panel.get_by_role("link", name="1 unknown").click()
    page.locator("#result_list tbody tr").wait_for()
    assert ([], False) == (faults(page), too_wide(page))
    page.get_by_role("link", name=str(number), exact=True).click()
    page.get_by_role("heading", name=f"SMS {number}").wait_for()
    assert ([], False) == (faults(page), too_wide(page))
    page.goto(f"{server}{LIST}?to=12")
    page.get_by_text("too short").wait_for()
    assert ([], False) == (faults(page), too_wide(page))


VISITS: tuple[tuple[Literal["light", "dark"], int, Callable[[Page, str, int], None]], ...] = (
    ("light", 390, look_around),
    ("dark", 390, look_around),
    ("light", 1280, look_around),
    ("dark", 1280, send_again),
)


@pytest.mark.long
def test_pages(gateway: Sandbox, tmp_path: Path) -> None:
    """What may have been sent is sent again by hand; no page has a serious fault, in either colours and width."""
    number = unknown(gateway)
    enqueue("Hello", "+79161234568")
    with served(gateway, tmp_path, *SERVER, ADMIN="yes") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for colours, width, visit in VISITS:
            with browser.new_context(color_scheme=colours, viewport={"width": width, "height": 900}) as context:
                context.set_default_timeout(60_000)
                visit(context.new_page(), server, number)
        browser.close()
