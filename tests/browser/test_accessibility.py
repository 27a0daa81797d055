"""What axe-core says of every view, in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types

from devinotify.sandbox import Sandbox
from tests.browser.conftest import show
from tests.browser.inhabited import inhabit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

VIEWS = ["messages", "messages/1", "messages/4", "messages/r1", "incoming", "faults", "requests", "settings"]


def faults(page: Page, *, every: bool = False) -> list[str]:
    """Return the serious faults that axe-core finds, or every one."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in violations
        if every or one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


@pytest.fixture(scope="module")
def inhabited() -> Iterator[Sandbox]:
    """Give a sandbox with something in every view."""
    with Sandbox() as sandbox:
        inhabit(sandbox)
        sandbox.add_fault("latency", seconds=0, number="79161234567", probability=0.5)
        sandbox.set_fate("79161234567", "expired")
        yield sandbox


@pytest.fixture(scope="module", params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Give a page whose policy lets axe-core in, which it takes half a second to load and to hand axe-core to."""
    with browser.new_context(bypass_csp=True, color_scheme=request.param, reduced_motion="reduce") as context:
        yield context.new_page()


@pytest.mark.parametrize("view", VIEWS)
def test_no_serious_fault(page: Page, inhabited: Sandbox, view: str) -> None:
    """No view has a serious fault, on a wide screen or a narrow one."""
    found = {}
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        show(page, inhabited, view)
        found[width] = faults(page)
    assert {1280: [], 390: []} == found


def test_the_empty_page(page: Page, sandbox: Sandbox) -> None:
    """The page has no serious fault before anything arrived."""
    show(page, sandbox)
    page.wait_for_selector(".empty h2")
    assert [] == faults(page)


def test_the_dialogs(page: Page, inhabited: Sandbox) -> None:
    """Neither the list of keys nor the question has a serious fault."""
    show(page, inhabited)
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    assert [] == faults(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("#help[open]", state="detached")


def test_signing_in(page: Page) -> None:
    """The form for the token has no serious fault."""
    with Sandbox(token="t" * 20) as guarded:
        page.goto(guarded.origin)
        assert [] == faults(page)
