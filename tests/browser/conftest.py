"""A browser for all of a process, a page for each test, and what no test may do: fail aloud or leave loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devinotify import Client
from devinotify.sandbox import Sandbox
from tests.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium.

    Not for longer than these tests: while Playwright runs, no other of the process may run an event loop.
    """
    if chromium.executable() is None:
        pytest.skip(chromium.MISSING)
    with chromium.launched() as running:
        yield running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Give a running sandbox, whose messages are numbered from 1."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Give a client of the sandbox."""
    with Client(sandbox.url) as made:
        yield made


@pytest.fixture
def context(browser: Browser, sandbox: Sandbox) -> Iterator[BrowserContext]:
    """Give a browser window that is watched: no error on the console, no request to anybody else."""
    window = browser.new_context(viewport={"width": 1280, "height": 800})
    window.set_default_timeout(60_000)
    complaints: list[str] = []
    asked: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.on("weberror", lambda error: complaints.append(str(error.error)))
    window.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
    yield window
    window.close()
    assert [] == complaints
    assert [] == [url for url in asked if not url.startswith(f"{sandbox.origin}/")]


@pytest.fixture
def page(context: BrowserContext, sandbox: Sandbox) -> Page:
    """Give the inbox, with its stream of changes open."""
    opened = context.new_page()
    show(opened, sandbox)
    return opened


def show(page: Page, sandbox: Sandbox, view: str = "messages") -> None:
    """Open a view of the page, and wait until it is live."""
    page.goto(f"{sandbox.origin}/#/{view}")
    page.wait_for_selector(f"body[data-shown='#/{view}']")
    page.wait_for_selector("#live[data-state=live]")
