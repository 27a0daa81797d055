"""vCards, as telephones and address books export them (RFC 2426, RFC 6350, and version 2.1), as rows. Pure."""

from __future__ import annotations

import itertools
import quopri
import re
from typing import TYPE_CHECKING

from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

COLUMNS = ("name", "organization", "phone")
"""What a card has as a row; the telephones of one stand in one cell, as Google writes several."""
SEVERAL = " ::: "
"""What Google's address book puts between the values of one cell."""
_PROPERTY = re.compile(
    r"(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<parameters>(?:;[^:;\"]*(?:\"[^\"]*\"[^:;\"]*)*)*):(?P<value>.*)", re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)")
_NEVER = ("FAX", "PAGER", "MODEM")
_RANKS = ("CELL", "PREF", "")


class VCards:
    """The cards of ``lines()`` as rows of COLUMNS; the mobile of a card comes first, no fax is taken for a telephone.

    Raises InvalidInput for a card that does not end, and for a line outside of any.
    """

    def __init__(self, lines: Callable[[], Iterable[str]]) -> None:
        self._lines = lines

    def chunks(self, size: int, *, header: bool) -> Iterator[list[list[str]]]:  # noqa: ARG002 - the columns are known, no row has them
        """Yield the cards, so many at a time."""
        cards = self._cards()
        while some := list(itertools.islice(cards, size)):
            yield some

    def places(self, *, header: bool) -> Iterator[int]:  # noqa: ARG002 - as above
        """Yield the numbers of the cards, which begin anywhere."""
        return itertools.count(1)

    def _cards(self) -> Iterator[list[str]]:
        card: list[tuple[str, str, str]] | None = None
        for number, line in _unfolded(self._lines()):
            found = _PROPERTY.fullmatch(line)
            name = found["name"].upper() if found else ""
            value = found["value"].strip() if found else ""
            if name == "BEGIN" and value.upper() == "VCARD":
                if card is not None:
                    raise InvalidInput(f"line {number} begins a vCard within another")
                card = []
            elif card is None:
                raise InvalidInput(f"line {number} is in no vCard")
            elif name == "END" and value.upper() == "VCARD":
                yield _row(card)
                card = None
            elif found:
                card.append((name, found["parameters"].upper(), value))
        if card is not None:
            raise InvalidInput("the last vCard does not end: the file was cut")


def _unfolded(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, those that were broken put together; empty ones are none."""
    held, begun = "", 0
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r\n")
        if held.endswith("=") and "QUOTED-PRINTABLE" in held.upper():
            held = held[:-1] + line
        elif line[:1] in (" ", "\t"):
            held += line[1:]
        else:
            if held.strip():
                yield begun, held
            held, begun = line, number
    if held.strip():
        yield begun, held


def _row(card: list[tuple[str, str, str]]) -> list[str]:
    names = {name: _plain(parameters, value) for name, parameters, value in reversed(card)}
    full = names.get("FN") or " ".join(part for part in names.get("N", "").split(";")[1::-1] if part)
    telephones = [
        (rank, _plain(parameters, value).removeprefix("tel:"))
        for name, parameters, value in card
        if name == "TEL" and not any(word in parameters for word in _NEVER)
        for rank in [next(place for place, word in enumerate(_RANKS) if word in parameters)]
    ]
    telephones.sort(key=lambda one: one[0])
    organization = names.get("ORG", "").strip(";").replace(";", ", ")
    return [full, organization, SEVERAL.join(text for _, text in telephones if text)]


def _plain(parameters: str, value: str) -> str:
    """Return a value as people read it."""
    if "QUOTED-PRINTABLE" in parameters:
        value = quopri.decodestring(value.encode()).decode(errors="replace")
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()
