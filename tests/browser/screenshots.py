"""The pictures of the documentation, made anew: ``python -m tests.browser.screenshots docs/screenshots``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify.bulk.page import render
from devinotify.sandbox import Sandbox
from tests.browser.chromium import launched
from tests.browser.conftest import show
from tests.browser.inhabited import inhabit
from tests.bulk.sample import HEADING, NOW, sample

if TYPE_CHECKING:
    from typing import Literal

    from playwright.sync_api import ViewportSize

REPORT: ViewportSize = {"width": 1180, "height": 1100}
"""As much of a campaign's report as tells what it is like."""
REPORTS = {"report": "en", "report-ru": "ru"}
"""A report's picture -> its language."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
VIEWS = {"list": "messages", "detail": "messages/9"}


def take(folder: Path) -> None:
    """Write a picture of the list, of a message and of a campaign's report in each language, in light and in dark."""
    with Sandbox() as sandbox, launched() as browser, tempfile.TemporaryDirectory() as scratch:
        reports = {name: Path(scratch, f"{name}.html") for name in REPORTS}
        for name, report in reports.items():
            report.write_text(render(sample(), HEADING, NOW, REPORTS[name]), encoding="utf-8")
        inhabit(sandbox)
        for scheme in SCHEMES:
            with browser.new_context(
                viewport={"width": 1260, "height": 680}, color_scheme=scheme, reduced_motion="reduce"
            ) as context:
                page = context.new_page()
                for name, view in VIEWS.items():
                    show(page, sandbox, view)
                    page.screenshot(path=folder / f"{name}-{scheme}.png")
                page.set_viewport_size(REPORT)
                for name, report in reports.items():
                    page.goto(report.as_uri())
                    page.wait_for_selector("#curve canvas")
                    page.screenshot(path=folder / f"{name}-{scheme}.png")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
