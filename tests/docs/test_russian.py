"""What is told in Russian keeps up with the English: a page for each, with its commands, names, links and symptoms."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, anchors, blocks, language_of, name_of, pages
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.docs.pages import Block

README, README_RU = ROOT / "README.md", ROOT / "README.ru.md"
RUSSIAN = [page for page in pages() if language_of(page) == "ru" and page != README_RU]
TOLD = [
    page for page in pages() if name_of(page).startswith(("docs/tutorials/", "docs/how-to/", "docs/troubleshooting."))
]
"""What both languages tell: what is read to do something. What is looked up or understood is in English."""

MORE = {
    "docs/how-to/configure.md": "the keys of a URL, whose page is in English, and the command that writes one",
    "docs/how-to/hosts.md": "how the plugins are set up, whose READMEs are in English",
}
"""The pages that show more in Russian, and what."""

IN_RUSSIAN = {
    "docs/how-to/campaigns.md": {"{name|friend}"},
    "docs/how-to/sandbox.md": {"order paid", '"see you"', "-word"},
}
"""What stands as code on an English page and is words in Russian."""

pytestmark = pytest.mark.once

_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)(?:#[^)\s]*)?\)")
_RUSSIAN = re.compile(r"[а-яё№]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"`([^`]+)`")


def _twin(page: Path) -> Path:
    return ROOT / name_of(page).replace("docs/", "docs/ru/", 1)


def _shown(page: Path) -> list[Block]:
    """Return the blocks of a page but for what is printed, which is in its language and compared where it is run."""
    return [block for block in blocks(page) if block.kind not in ("text", "stderr")]


def _alike(english: Block, russian: Block) -> bool:
    """Return whether two blocks do the same, and are run or exempt alike."""
    theirs, ours = (_split(block) for block in (english, russian))
    return (
        (english.kind, _way(english), len(theirs)) == (russian.kind, _way(russian), len(ours))
        and all(map(_same_text, theirs[1::2], ours[1::2]))
        and all(map(_same_code, theirs[::2], ours[::2]))
    )


def _way(block: Block) -> str | bool:
    """Return the test of its own that runs a block, else whether nothing does."""
    return block.mark if block.mark.startswith("run by: ") else block.exempt


def _split(block: Block) -> list[str]:
    """Return a block's code, and in every other place what stands in it as a text or a remark."""
    remark = "-- .*" if block.kind == "sql" else "#.*"
    return re.split(rf"(\"[^\"]*\"|'[^']*'|{remark})", block.typed)


def _same_text(english: str, russian: str) -> bool:
    return english == russian or bool(_RUSSIAN.search(russian))


def _same_code(english: str, russian: str) -> bool:
    """Return whether it is the same but for words of a list in it, which may be in Russian."""
    if not _RUSSIAN.search(russian):
        return english == russian
    return _WORD.sub("…", english) == _WORD.sub("…", russian)


def _links(page: str) -> set[str]:
    text = (ROOT / page).read_text("utf-8").partition("<!-- hosts -->")[0]
    return set(_LINK.findall(text))


def _russian(link: str) -> str:
    """Return the page in Russian that an English one has, or that one."""
    name = link.replace("docs/", "docs/ru/", 1)
    return name if link.startswith("docs/") and (ROOT / name).is_file() and link != name else link


def test_the_readme_has_the_same_commands() -> None:
    """Whoever reads it in Russian types the same."""
    assert [] == list(_other_blocks(README, README_RU))


def test_the_readme_leads_to_the_same_pages() -> None:
    """To the Russian one wherever there is one; the table of hosts is referred to."""
    assert set() == {_russian(link) for link in _links("README.md")} - _links("README.ru.md") - {"README.ru.md"}


@table("page", RUSSIAN)
def test_each_page_has_an_english_one(page: Path) -> None:
    """By the same name, so that either is found from the other."""
    assert (ROOT / name_of(page).replace("docs/ru/", "docs/")).is_file()


@table("page", TOLD)
def test_each_page_has_a_russian_one(page: Path) -> None:
    """And the first page in Russian leads to it."""
    assert _twin(page).is_file()
    assert name_of(_twin(page)).removeprefix("docs/ru/") in _links("docs/ru/index.md")


@table("page", TOLD)
def test_the_commands_are_the_same(page: Path) -> None:
    """Commands, programs and configuration, in the same order; a page of MORE has others between them."""
    if name_of(page) in MORE:
        assert [] == list(_missing(_shown(page), _shown(_twin(page))))
    else:
        assert [] == list(_other_blocks(page, _twin(page)))


def _other_blocks(english: Path, russian: Path) -> Iterator[str]:
    """Yield what either page shows, and the other one in its place does not."""
    for theirs, ours in zip_longest(_shown(english), _shown(russian)):
        if theirs is None or ours is None or not _alike(theirs, ours):
            yield "\n".join(f"{block.line}: {block.code}" for block in (theirs, ours) if block)


def _missing(english: list[Block], russian: list[Block]) -> Iterator[str]:
    """Yield what is not there behind the one before it."""
    left = iter(russian)
    for theirs in english:
        if not any(_alike(theirs, ours) for ours in left):
            yield f"{theirs.line}: {theirs.code}"


@table("page", sorted(MORE))
def test_what_shows_more_does(page: str) -> None:
    """A page is in the table for as long as it does."""
    assert len(_shown(ROOT / page)) < len(_shown(_twin(ROOT / page)))


@table("page", TOLD)
def test_names_are_the_same(page: Path) -> None:
    """Each option, file, key and name that the English page has stands in the Russian one: no fact goes unsaid."""
    names = _names(_twin(page))
    missing = {name for name in _names(page) if not any(_same_name(name, each) for each in names)}
    assert IN_RUSSIAN.get(name_of(page), set()) == missing


def _names(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {" ".join(name.split()) for name in _CODE.findall(text)}


def _same_name(english: str, russian: str) -> bool:
    """Return whether a name is in the other one, but for its placeholders: ``--list FILE`` is ``--list ФАЙЛ``."""
    theirs, ours = english.split(), russian.split()
    return english in russian or (
        len(theirs) == len(ours)
        and theirs[0] == ours[0]
        and all(their == our or _RUSSIAN.search(our) for their, our in zip(theirs, ours, strict=True))
    )


def _symptoms(page: Path) -> list[list[str]]:
    """Return where each row of the first table leads: to which heading, by its number, or which page."""
    text = page.read_text("utf-8")
    rows = text.partition("|---|---|\n")[2].partition("\n\n")[0].splitlines()
    return [[_place(page, link) for link in re.findall(r"\]\(([^)\s]+)\)", row)] for row in rows]


def _place(page: Path, link: str) -> str:
    if link.startswith("#"):
        return str(anchors(page).index(link[1:]))
    return (page.parent / link).resolve().name


def test_each_symptom_is_there() -> None:
    """In the same order, and each leads to what the English one leads to."""
    page = ROOT / "docs" / "troubleshooting.md"
    assert len(anchors(page)) == len(anchors(_twin(page)))
    assert _symptoms(page) == _symptoms(_twin(page))


@table("page", [*RUSSIAN, README_RU])
def test_links_stay_in_russian(page: Path) -> None:
    """Where a page that is linked to is there in Russian, it is that one; the contents name the English ones too."""
    targets = {link: (page.parent / link).resolve() for link in _links(name_of(page)) if link.endswith(".md")}
    first = {ROOT / "docs" / "index.md", README}
    assert [] == [
        link
        for link, target in targets.items()
        if target not in first and language_of(target) == "en" and "docs" in target.parts and _twin(target).is_file()
    ]
