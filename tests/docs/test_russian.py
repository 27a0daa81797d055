"""What is told in Russian keeps up with the English: the same commands and links, and a page for each page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, blocks, language_of, name_of, pages

if TYPE_CHECKING:
    from pathlib import Path

RUSSIAN = [page for page in pages() if language_of(page) == "ru"]
README, README_RU = ROOT / "README.md", ROOT / "README.ru.md"

pytestmark = pytest.mark.once

_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)(?:#[^)\s]*)?\)")


def _commands(page: str) -> list[str]:
    """Return what a page has one type."""
    return [block.typed for block in blocks(ROOT / page)]


def _links(page: str) -> set[str]:
    text = (ROOT / page).read_text("utf-8").partition("<!-- hosts -->")[0]
    return set(_LINK.findall(text))


def _russian(link: str) -> str:
    """Return the page in Russian that an English one has, or that one."""
    name = link.replace("docs/", "docs/ru/", 1)
    return name if link.startswith("docs/") and (ROOT / name).is_file() and link != name else link


def test_the_readme_has_the_same_commands() -> None:
    """Whoever reads it in Russian types the same."""
    assert _commands("README.md") == _commands("README.ru.md")


def test_the_readme_leads_to_the_same_pages() -> None:
    """To the Russian one wherever there is one; the table of hosts is referred to."""
    assert set() == {_russian(link) for link in _links("README.md")} - _links("README.ru.md") - {"README.ru.md"}


@pytest.mark.parametrize("page", [page for page in RUSSIAN if page != README_RU], ids=name_of)
def test_each_page_has_an_english_one(page: Path) -> None:
    """By the same name, so that either is found from the other."""
    assert (ROOT / name_of(page).replace("docs/ru/", "docs/")).is_file()
