"""What a column of numbers is called, what tells a header from a row, and columns as an error may show them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.redact import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENGLISH = (
    "phone, phones, phone number, phone numbers, phonenumber, number, numbers, mobile, mobile phone, mobile number, "
    "cell, cell phone, tel, telephone, msisdn, recipient, to"
)
_RUSSIAN = (
    "телефон, телефоны, телефона, номер, номера, номер телефона, номера телефонов, мобильный, мобильный телефон, "
    "сотовый, сотовый телефон, моб, тел, получатель"
)
NAMES = frozenset(f"{_ENGLISH}, {_RUSSIAN}".split(", "))
"""What a column of numbers is called, as ``is_known`` compares it: ``№ телефона`` as ``телефона``."""

LISTED = 20
"""Columns that an error lists."""
CUT = 40
"""Characters of a cell that an error shows."""
_LOOKED_AT = 250  # of a cell, before it is cut: what is masked may be longer than what is shown

_WORD = re.compile(r"[^\W_]+")
_COUNTER = re.compile(r" ?\d{1,2}$")  # phone2, Phone 1
_SOME_DIGITS, _A_NUMBER = 5, 10


def is_known(name: str) -> bool:
    """Return whether a column of this name holds numbers: ``Phone_Number``, ``phone2`` and ``"Тел."`` do."""
    return _COUNTER.sub("", " ".join(_WORD.findall(name.casefold()))) in NAMES


def is_header(first: Sequence[str]) -> bool:
    """Return whether a first row is a header rather than somebody's row.

    No cell of a header looks like a phone number at all, were it an invalid one: none has five digits. Beside a known
    name there may be a date or an account (``phone;01.05.2026``), but not ten digits: ``Anna;mobile;84951234567`` is
    a row.
    """
    most = max((sum(map(str.isdecimal, cell)) for cell in first), default=0)
    return most < (_A_NUMBER if any(map(is_known, first)) else _SOME_DIGITS)


def shown(cell: str) -> str:
    """Return a cell in quotes as an error may show it: numbers and tokens masked, and short."""
    text = scrub(cell[:_LOOKED_AT])
    return repr(text if len(text) <= CUT else text[: CUT - 1] + "…")


def listed(columns: Sequence[str]) -> str:
    """Return the columns as an error may show them: the first LISTED, or only their places where they have no names."""
    count = len(columns)
    if count and list(columns) == [str(place) for place in range(1, count + 1)]:
        return f"columns 1 to {count}"
    more = f" and {count - LISTED} more" if count > LISTED else ""
    return (", ".join(map(shown, columns[:LISTED])) or "none") + more
