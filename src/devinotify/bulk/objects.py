"""JSON: a line each, or the items of one array; as mappings, of which a bare value has one under the key BARE."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BARE = ""
"""The key of a value that is not an object."""
MOST = 1 << 20
"""Characters that one item of an array may have."""
_NEXT = re.compile(r"[^ \t\r\n]")


def of_lines(lines: Iterable[str]) -> Iterator[Mapping[str, object]]:
    """Yield a row for each line that is not empty; what is not JSON is kept, to be refused as a number."""
    for line in lines:
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        yield found if isinstance(found, dict) else {BARE: _bare(found, line.strip())}


def of_array(blocks: Iterable[str]) -> Iterator[Mapping[str, object]]:
    """Yield a row for each item of the array that the blocks of text are, without all of it in memory.

    Raises InvalidInput where it is not an array, or breaks off.
    """
    text = _Text(blocks)
    if text.sign() != "[":
        raise InvalidInput("the input is not a JSON array: it begins with another sign than [")
    text.skip()
    number = 0
    while text.sign() != "]":
        number += 1
        yield text.item(number)
        if text.sign() == ",":
            text.skip()
        elif text.sign() != "]":
            raise InvalidInput(f"the JSON array breaks off behind item {number}")
    text.skip()
    if text.sign():
        raise InvalidInput("something stands behind the JSON array")


class _Text:
    """A text of which a part is held, and a place in it."""

    def __init__(self, blocks: Iterable[str]) -> None:
        self._blocks = iter(blocks)
        self._decoder = json.JSONDecoder()
        self._held = ""
        self._at = 0

    def sign(self) -> str:
        """Return the next sign that is not a space, or nothing at the end."""
        while True:
            found = _NEXT.search(self._held, self._at)
            if found is not None:
                self._at = found.start()
                return found[0]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Go on behind the sign."""
        self._at += 1

    def item(self, number: int) -> Mapping[str, object]:
        """Return the JSON that begins here."""
        while True:
            try:
                found, end = self._decoder.raw_decode(self._held, self._at)
            except (ValueError, RecursionError):
                end = len(self._held)
            # What ends with the text that is held may go on: 7916 of 79161234567.
            if end < len(self._held):
                break
            if len(self._held) - self._at > MOST or not self._more():
                raise InvalidInput(f"item {number} of the JSON array cannot be read")
        written = self._held[self._at : end]
        self._at = end
        return found if isinstance(found, dict) else {BARE: _bare(found, written)}

    def _more(self) -> bool:
        following = next(self._blocks, "")
        self._held = self._held[self._at :] + following
        self._at = 0
        return bool(following)


def _bare(found: object, text: str) -> object:
    """Return a number or text as a row is given it; anything else as it is written, to be refused."""
    return found if isinstance(found, str | int) and not isinstance(found, bool) else text
