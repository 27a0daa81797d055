"""The report of a campaign in a browser: as axe-core sees it, on screens of each width, and on paper."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from devinotify.bulk.page import render
from tests.browser.test_accessibility import faults
from tests.bulk.sample import HEADING, NOW, sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

WIDTHS = (390, 768, 1440)


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Give a page whose policy lets axe-core in; it may complain of nothing."""
    with browser.new_context(bypass_csp=True, color_scheme=request.param) as context:
        complaints: list[str] = []
        context.on("console", lambda line: complaints.append(line.text))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield context.new_page()
        assert [] == complaints


def show(page: Page, folder: Path, lang: str = "en", seconds: float = 5400.0) -> None:
    """Open the report of the sample as the file that it is, and wait for its curve."""
    path = folder / "report.html"
    path.write_text(render(sample(seconds=seconds), HEADING, NOW, lang), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector("#curve canvas")


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_nothing_is_wrong_with_it_at_any_width(page: Page, tmp_path: Path, lang: str) -> None:
    """Axe-core has no complaint, folded and unfolded, and nothing stands out of the page."""
    show(page, tmp_path, lang)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert width == page.evaluate("document.documentElement.scrollWidth")
    assert [] == faults(page, every=True)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert [] == faults(page, every=True)


@pytest.mark.parametrize("seconds", [16.0, 200_000.0])
def test_the_curve_is_as_wide_as_its_place(page: Page, tmp_path: Path, seconds: float) -> None:
    """Also after the window was made narrower, whatever the campaign took."""
    show(page, tmp_path, seconds=seconds)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            "document.querySelector('.uplot').clientWidth === document.getElementById('curve').clientWidth"
        )


def test_its_own_policy_lets_it_run(browser: Browser, tmp_path: Path) -> None:
    """The curve is drawn under it, and nothing is asked for but the file."""
    with browser.new_context() as context:
        asked: list[str] = []
        complaints: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        context.on("console", lambda line: complaints.append(line.text))
        page = context.new_page()
        show(page, tmp_path)
        assert ([(tmp_path / "report.html").as_uri()], []) == (asked, complaints)


def test_it_is_printed_light_and_unfolded(page: Page, tmp_path: Path) -> None:
    """And is afterwards what it was."""
    show(page, tmp_path)
    page.emulate_media(media="print")
    state = (
        "[getComputedStyle(document.querySelector('.card')).backgroundColor,"
        " document.querySelectorAll('details:not([open])').length]"
    )
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert ["rgb(255, 255, 255)", 0] == page.evaluate(state)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert 4 == page.evaluate(state)[1]


def test_without_scripts_the_table_says_the_same(browser: Browser, tmp_path: Path) -> None:
    """It is said where the curve would be."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        (tmp_path / "report.html").write_text(render(sample(), HEADING, NOW), encoding="utf-8")
        page.goto((tmp_path / "report.html").as_uri())
        page.locator("noscript p", has_text="The curve needs JavaScript").wait_for()
        page.get_by_text("The same as a table").click()
        page.get_by_role("cell", name="1,240").first.wait_for()


WRITTEN = """
const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.clearRect = function (...place) {
  this.canvas.written = [];
  return clearRect.apply(this, place);
};
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const half = this.measureText(text).width / 2;
  if (this.textAlign === "center") (this.canvas.written ??= []).push([text, x - half, x + half, y]);
  return fillText.call(this, text, x, y);
};
"""
"""Takes note of the words of the axis of time, which alone stand in the middle of their places."""


@pytest.mark.parametrize(
    ("seconds", "form"), [(16.0, r"\d\d:\d\d:\d\d|\d\d? [A-Z]\w+"), (3 * 86_400.0, r"\d\d:\d\d|\d\d? [A-Z]\w+|\d{4}")]
)
def test_the_words_of_the_axis_fit_the_campaign(page: Page, tmp_path: Path, seconds: float, form: str) -> None:
    """Seconds for one of a quarter of a minute, hours and dates for one of days; none covers another, or is cut off."""
    page.add_init_script(WRITTEN)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        show(page, tmp_path, seconds=seconds)
        page.wait_for_function("document.querySelector('#curve canvas').written?.length > 2")
        words = page.evaluate("document.querySelector('#curve canvas').written")
        wide = page.evaluate("document.querySelector('#curve canvas').width")
        assert [] == [text for text, *_ in words if not re.fullmatch(form, text)]
        for row in {y for *_, y in words}:
            places = sorted((left, right) for _, left, right, y in words if y == row)
            assert all(right < left for (_, right), (left, _) in pairwise(places))
            assert (True, True) == (places[0][0] >= 0, places[-1][1] <= wide)
