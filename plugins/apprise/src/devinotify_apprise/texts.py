"""What a phone can show: readable text for markup, and parts that the API takes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from apprise import NotifyFormat
from apprise.conversion import convert_between

_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "div", "dl", "dt", "dd", "fieldset", "figure", "footer", "form"),
        *("header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"),
    )
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
_SPACE = re.compile(r"\s+")
_UNDER_HEADING = re.compile(r"\s*\0\s*")
_BLANK_LINES = re.compile(r"\n{3,}")


class _Reader(HTMLParser):
    """Reads HTML as text: blocks and items on lines of their own, links with their addresses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0
        self._preformatted = 0
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self.pieces.append("\n")
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.pieces))
        elif tag == "img":
            self.pieces.append(dict(attrs).get("alt") or "")
        elif tag in _BLOCKS or tag in _HEADINGS:
            self.pieces.append("\n")
        self._preformatted += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a" and self._link is not None:
            address, start = self._link
            shown = "".join(self.pieces[start:]).strip()
            if address.startswith(("http://", "https://")) and address != shown:
                self.pieces.append(f" ({address})" if shown else address)
            self._link = None
        elif tag in _HEADINGS:
            self.pieces.append("\0")  # a line break and no blank line, which a phone has no room for
        elif tag in _BLOCKS:
            self.pieces.append("\n")
        self._preformatted -= tag == "pre" and self._preformatted > 0

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            data = data.replace("\0", "")
            # In HTML a line break is a space; the breaks of the text are those of the tags.
            self.pieces.append(data if self._preformatted else _SPACE.sub(" ", data))


def from_html(markup: str) -> str:
    """Return HTML as readable text: no tags, links with their addresses, items with a dash."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    text = _UNDER_HEADING.sub("\n", "".join(reader.pieces))
    lines = [line.strip() for line in text.split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def from_markdown(markup: str) -> str:
    """Return Markdown as readable text."""
    return from_html(convert_between(NotifyFormat.MARKDOWN, NotifyFormat.HTML, markup))


def readable(text: str, markup: NotifyFormat | str | None) -> str:
    r"""Return the text as a phone shows it; ``markup`` says what it is written in. Line breaks are ``\n``."""
    if markup == NotifyFormat.HTML:
        return from_html(text)
    if markup == NotifyFormat.MARKDOWN:
        return from_markdown(text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parts(text: str, limit: int) -> list[str]:
    """Return the text in parts of at most ``limit`` characters, cut at line ends or spaces where there are any."""
    found = []
    while len(text) > limit:
        # A break in the first half would make parts that nobody wants to pay for.
        cut = max(text.rfind("\n", limit // 2, limit + 1), 0) or max(text.rfind(" ", limit // 2, limit + 1), 0) or limit
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [part for part in (*found, text) if part]
