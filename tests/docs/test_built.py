"""What looks at the built site finds what is wrong with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.built import faults

if TYPE_CHECKING:
    from pathlib import Path

WRONG = {
    '<a href="gone.html">': "a.html leads to gone.html, which is not there",
    '<a href="sub/b.html#nowhere">': "a.html leads to sub/b.html#nowhere, which has no such place",
    '<a href="#nowhere">': "a.html leads to #nowhere, which has no such place",
    '<img src="gone.png">': "a.html leads to gone.png, which is not there",
    '<script src="https://cdn.example/x.js"></script>': "a.html loads https://cdn.example/x.js",
    '<link rel="stylesheet" href="//fonts.example/x.css">': "a.html loads //fonts.example/x.css",
}
RIGHT = ["", '<a href="sub/b.html#here">', '<a href="#top"><p id="top">', '<a href="https://devinotele.com">']


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Make a site of a page and another one."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.html").write_text('<h2 id="here">', "utf-8")
    return tmp_path


@pytest.mark.parametrize(("html", "told"), WRONG.items(), ids=WRONG)
def test_finds(html: str, told: str, site: Path) -> None:
    """A link to nowhere, and what is fetched from elsewhere."""
    (site / "a.html").write_text(html, "utf-8")
    assert [told] == list(faults(site))


@pytest.mark.parametrize("html", RIGHT)
def test_leaves_alone(html: str, site: Path) -> None:
    """What leads somewhere, and what a reader may follow to another host."""
    (site / "a.html").write_text(html, "utf-8")
    assert [] == list(faults(site))


def test_finds_what_a_style_fetches(site: Path) -> None:
    """A font of another host."""
    (site / "a.css").write_text("@font-face { src: url(https://fonts.example/a.woff2) }", "utf-8")
    assert ["a.css loads url(https://fonts.example/a.woff2"] == list(faults(site))
