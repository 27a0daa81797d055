"""The parameters of a request, read as the gateway reads them. Pure.

Query string and body are one list of pairs, the query's first. Names are matched in any case. Of a scalar the
first non-empty value counts, of a list all values do. A list is its name repeated, or written as PHP does it
(``DestinationAddresses[0]=…&DestinationAddresses[1]=…``, in the order of the indices) or as Ruby does
(``DestinationAddresses[]=…``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devinotify.sandbox import bodies
from devinotify.sandbox.bodies import MAX_BYTES, TOO_LARGE
from devinotify.sandbox.operations import LISTS
from devinotify.sandbox.replies import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NONE: Sequence[str] = ()
_LISTS = frozenset(name.lower() for name in LISTS)
_ELEMENT = re.compile(r"([^\[\]]{1,64})\[([0-9]{0,9})\]")


def element(name: str) -> tuple[str, int | None]:
    """Return a parameter's name in lower case without the brackets of a list, and its index where it has one."""
    plain = name.lower()
    if plain.endswith("]"):
        found = _ELEMENT.fullmatch(plain)
        if found and found[1] in _LISTS:
            return found[1], int(found[2]) if found[2] else None
    return plain, None


def merge(query: bytes, body: bytes, content_type: bytes = b"") -> Arguments:
    """Return the parameters of a request.

    Raises Refused (Code 2) where there are too many, where the body is not what ``content_type`` announces, and
    where a list lacks an index: an ASP.NET binder reads a list up to there and drops the rest without a word,
    which a client had better learn here.
    """
    if len(query) > MAX_BYTES or len(body) > MAX_BYTES:
        raise Refused(2, TOO_LARGE)
    if bodies.media_type(content_type) == bodies.FORM:
        pairs = bodies.form(query + b"&" + body)
    else:
        pairs = bodies.form(query) + bodies.read(content_type, body)
    values: dict[str, list[str]] = {}
    indexed: dict[str, list[tuple[int, str]]] = {}
    for name, value in pairs:
        plain, index = element(name)
        if index is None:
            values.setdefault(plain, []).append(value)
        else:
            indexed.setdefault(plain, []).append((index, value))
    for plain, given in indexed.items():
        given.sort(key=lambda pair: pair[0])
        last = given[-1][0]
        lacking = set(range(min(last, len(given)) + 1)) - {index for index, _ in given}
        if lacking:
            raise Refused(2, f"{plain}[{min(lacking)}] is missing: the gateway reads a list up to there")
        values.setdefault(plain, []).extend(value for _, value in given)
    return Arguments(values)


class Arguments:
    """The merged parameters, by name in any case."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def scalar(self, name: str) -> str:
        """Return the first non-empty value, or an empty string."""
        for value in self._values.get(name.lower(), _NONE):
            if value:
                return value
        return ""

    def all(self, name: str) -> Sequence[str]:
        """Return all values in order, empty ones included."""
        return self._values.get(name.lower(), _NONE)

    def given(self, name: str) -> bool:
        """Return whether there is a non-empty value."""
        return any(self._values.get(name.lower(), _NONE))

    def items(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Return every name, in lower case, with its values."""
        return list(self._values.items())
