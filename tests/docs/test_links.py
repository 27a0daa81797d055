"""Every Markdown file of the repository leads where it says: to a file that is there, and to a heading in it."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.docs.pages import ROOT, anchors, name_of
from tests.tables import table

if TYPE_CHECKING:
    from pathlib import Path

_CODE = re.compile(r"^(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?!\w+:)<?([^)\s>]+)>?\)")
_FILE = re.compile(r"`((?:docs|plugins|src|tests)/[\w./-]+\.\w+)`")
_SKIPPED = {".git", ".tox", ".venv", "build", "dist", "node_modules", ".pytest_cache"}

FILES = sorted(
    path
    for path in chain(
        ROOT.glob("*.md"), *((ROOT / folder).rglob("*.md") for folder in ("docs", "plugins", "src", "tests"))
    )
    if not _SKIPPED & set(path.relative_to(ROOT).parts)
)

pytestmark = [
    pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="a source distribution of the core has no plugins"),
    pytest.mark.once,
]


@table("page", FILES)
def test_links(page: Path) -> None:
    """A link names a file that is there and, behind a #, one of its headings."""
    broken = []
    for link in _LINK.findall(_CODE.sub("", page.read_text("utf-8"))):
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert [] == broken


@table("page", FILES)
def test_names_of_files(page: Path) -> None:
    """A file that a page names by its path in the repository, or beside the page, is there."""
    named = _FILE.findall(page.read_text("utf-8"))
    assert [] == [name for name in named if not (ROOT / name).exists() and not (page.parent / name).exists()]


def test_every_page_is_in_the_contents() -> None:
    """A first page, or a list below one, links to it: the site's contents are made of these links."""
    docs = ROOT / "docs"
    lists = [
        *docs.glob("index.md"),
        *docs.glob("*/index.md"),
        docs / "how-to" / "hosts.md",
        docs / "reference" / "api.md",
    ]
    listed = {
        (page.parent / unquote(link).partition("#")[0]).resolve()
        for page in lists
        for link in _LINK.findall(page.read_text("utf-8"))
    }
    assert [] == [
        name_of(page) for page in sorted(docs.rglob("*.md")) if page not in listed and page.name != "index.md"
    ]


@table("page", ["index.md", "ru/index.md"])
def test_the_contents_are_of_four_kinds(page: str) -> None:
    """Tutorials, how-tos, reference and explanation, in this order, each under a heading with nothing else below it."""
    sections = re.split(r"^## ", (ROOT / "docs" / page).read_text("utf-8"), flags=re.MULTILINE)[1:5]
    kinds = [re.findall(r"([\w-]+)/[\w-]+\.md\b", " ".join(_LINK.findall(section))) for section in sections]
    assert [{"tutorials"}, {"how-to"}, {"reference"}, {"explanation"}] == [set(each) - {"recipes"} for each in kinds]
