"""The site as it was built: every link of it leads somewhere, and it asks no other host for anything.

``python -m tests.docs.built FOLDER`` names what does not hold, and ends with 1 where there is any. Links to other hosts
are what a reader may follow; they are not asked.
"""

from __future__ import annotations

import posixpath
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
"""What a browser fetches by itself, by element."""

_STYLE_LOADS = re.compile(r"(?:url\(|@import\s+)['\"]?(?:https?:)?//[^'\")\s]+")


class _Page(HTMLParser):
    """A page's anchors, the links that it offers, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        named = {name: value for name, value in attrs if value is not None}
        self.anchors.update(named[key] for key in ("id", "name") if key in named)
        if tag == "a" and "href" in named:
            self.links.append(named["href"])
        # A canonical or alternative address is told, not loaded.
        if _LOADS.get(tag) in named and named.get("rel") not in ("canonical", "alternate"):
            self.loads.append(named[_LOADS[tag]])


def faults(folder: Path) -> Iterator[str]:
    """Yield a line for each link that leads nowhere, and for each thing that another host would be asked for."""
    pages = {path.relative_to(folder).as_posix(): _Page(path.read_text("utf-8")) for path in folder.rglob("*.html")}
    for name, page in sorted(pages.items()):
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loads and parts.scheme != "data":
                    yield f"{name} loads {link}"
                continue
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
            )
            if not (folder / target).is_file():
                yield f"{name} leads to {link}, which is not there"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{name} leads to {link}, which has no such place"
    for style in sorted(folder.rglob("*.css")):
        for load in _STYLE_LOADS.findall(style.read_text("utf-8")):
            yield f"{style.relative_to(folder).as_posix()} loads {load}"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    print("\n".join(found) or "every link leads somewhere, and nothing is loaded from elsewhere")
    sys.exit(bool(found))
