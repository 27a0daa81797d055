"""Personal texts: ``Hello {name}`` with the columns of a row. Pure.

Only plain names stand in braces: no attributes, no indexes, no formats, so that a template can read nothing but the
row. A brace itself is written twice.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from devinotify.bulk.columns import listed, shown
from devinotify.exceptions import InvalidText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Template:
    """A text with columns in braces; ``fields`` are their names. Raises InvalidText for a bad brace, and says where."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._parts: list[tuple[str, str | None]] = []
        try:
            parsed = list(string.Formatter().parse(source))
        except ValueError as error:
            raise InvalidText(f"the template has a bad brace ({error}); a brace itself is written twice") from None
        for literal, name, form, conversion in parsed:
            if name is not None:
                if form or conversion or any(sign in name for sign in ".[]!:") or not name.strip():
                    raise InvalidText("the template has a bad brace: only the name of a column stands in { and }")
                name = name.strip()
            self._parts.append((literal, name))
        self.fields = tuple(dict.fromkeys(name for _, name in self._parts if name is not None))

    def check(self, columns: Sequence[str]) -> None:
        """Raise InvalidText where a column is missing, and names those there are, or where two have the same name."""
        for name in self.fields:
            count = columns.count(name)
            if not count:
                raise InvalidText(f"the template needs the column {shown(name)}; the input has: {listed(columns)}")
            if count > 1:
                raise InvalidText(f"the template needs the column {shown(name)}, and {count} columns are called that")

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text of one row; raises InvalidText where the row has not all of its columns."""
        parts = []
        for literal, name in self._parts:
            parts.append(literal)
            if name is not None:
                value = values.get(name)
                if value is None:
                    raise InvalidText(f"the row has no column {shown(name)}, which the template needs")
                parts.append(value)
        return "".join(parts)
