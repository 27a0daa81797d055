"""The pages of the documentation, and what each shows: its blocks of code, in order, with the marks above them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<mark>[^>]*) -->\n(?P=indent))?"
    r"```(?P<kind>[\w-]+)(?: \w+)?\n(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
_SHOWN = re.compile(r"\n\n```(?:text|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# (?P<name>[\w.-]+\.(?:py|toml|ini|yaml|env))\b")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: its language, what it holds, the comment right above it, and the line where it begins."""

    kind: str
    code: str
    mark: str
    line: int
    shown: str | None = None
    """What a command prints, or a program that has a test of its own: the block of ``text`` or ``json`` below it."""

    @property
    def exempt(self) -> bool:
        """Whether a test of its own runs it, or its mark says why nothing does: ``<!-- not run: why -->``."""
        return self.mark.startswith(("command: ", "not run: ", "run by: "))

    @property
    def session(self) -> bool:
        """Whether it is a Python session, with what it answers."""
        return self.kind == "python" and ">>> " in self.code

    @property
    def typed(self) -> str:
        """What it has one type: of a session, without what it answers."""
        if not self.session:
            return self.code
        return "\n".join(line for line in self.code.splitlines() if line.startswith((">>> ", "... ")))

    @property
    def file(self) -> str | None:
        """The name of the file that it is: what its first line says, ``# app.py``."""
        named = _NAMED.match(self.code)
        return named["name"] if named else None


def pages() -> list[Path]:
    """Return the README in both languages, and every page below docs."""
    return [ROOT / "README.md", ROOT / "README.ru.md", *sorted((ROOT / "docs").rglob("*.md"))]


def guides() -> list[Path]:
    """Return what is no page of the documentation but is on its site: what plugins say of themselves, and CONTRIBUTING.

    Their examples are run by tests of their own.
    """
    return [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "plugins").glob("**/README.md"))]


def language_of(page: Path) -> str:
    """Return the language that a page is written in, in which its commands answer."""
    return "ru" if name_of(page).startswith(("docs/ru/", "README.ru.")) else "en"


def name_of(page: Path) -> str:
    """Return a page's name as seen from the top folder."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    text = page.read_text("utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        mark = match["mark"] or ""
        prints = match["kind"] == "sh" or mark.startswith("run by: ")
        shown = _SHOWN.match(text, match.end()) if prints else None
        line = text.count("\n", 0, match.start("code"))
        found.append(Block(match["kind"], match["code"], mark, line, shown and shown[1]))
    return found


@cache
def anchors(page: Path) -> tuple[str, ...]:
    """Return the anchors of a page's headings in order, as the repository's host and the site make them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return tuple(re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings)
