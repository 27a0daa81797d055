"""The parameters of a request, read as the gateway reads them. Pure.

Query string and form body are one list of pairs, the query's first. Names are matched in any case. Of a
scalar the first non-empty value counts, of a list all values do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from devinotify.sandbox.replies import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_BYTES = 1024 * 1024
"""Bytes that the body, and the query, may each have: a bulk of some 25,000 recipients fits."""

MAX_FIELDS = 50_000
"""Name and value pairs in one request."""

TOO_LARGE = f"The request is larger than {MAX_BYTES} bytes or has more than {MAX_FIELDS} parameters"
_NONE: Sequence[str] = ()


def merge(query: bytes, body: bytes) -> Arguments:
    """Return the parameters of a request; raises Refused (Code 2) where there are too many."""
    if len(query) > MAX_BYTES or len(body) > MAX_BYTES or query.count(b"&") + body.count(b"&") >= MAX_FIELDS:
        raise Refused(2, TOO_LARGE)
    pairs = parse_qsl(
        # A body sent raw (curl -d 'Data=Привет') is UTF-8 too; broken UTF-8 becomes U+FFFD, never an error.
        (query + b"&" + body).decode("utf-8", "replace"),
        keep_blank_values=True,
        errors="replace",
    )
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), []).append(value)
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
