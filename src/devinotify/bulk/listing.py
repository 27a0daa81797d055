"""The list's own columns, for the report: read again where the list lies, and found by the number of a row.

The journal keeps none of them: what else is known of people stays in the list, which is known by its digest.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from devinotify.bulk.source import Source
from devinotify.bulk.table import Table
from devinotify.exceptions import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from devinotify.files import AnyPath

CHANGED = "is not the list of this campaign, or has changed since"


class Listing:
    """The rows of the list at ``path``, if it is the one that the journal knows by ``identity``; a context manager.

    ``columns`` are their names: those of the header, else ``column_1`` and so on, none where there are but numbers.
    Rows are asked for in their order but for those ``apart``, by their numbers from 1, which are asked for whenever
    they are wanted. Raises InvalidInput where the list cannot be read, or is another.
    """

    def __init__(self, path: AnyPath, identity: Mapping[str, Any], apart: Collection[int] = ()) -> None:
        name = Path(path).name
        with ExitStack() as opened:
            self._source = opened.enter_context(Source(path, None if _is_workbook(identity) else identity["encoding"]))
            if self._source.digest != identity["input"]:
                raise InvalidInput(f"{name} {CHANGED}")
            table = Table(
                self._source,
                column=identity["column"],
                format_=identity["format"],
                region=identity["region"],
                read=_none,
            )
            named = table.header or table.format in ("json", "jsonl")
            names = table.columns if named else tuple(f"column_{place}" for place in table.columns)
            # A single column holds the numbers, which the report has by themselves.
            self.columns: tuple[str, ...] = names if len(names) > 1 else ()
            self._aside = opened.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
            self._places = self._put_aside(table, apart if self.columns else ())
            self._rows = enumerate(table.rows(), 1)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def cells(self, row: int) -> Sequence[str]:
        """Return the cells of a row; each row but those apart lies behind the last that was asked for."""
        if not self.columns:
            return ()
        place = self._places.get(row)
        if place is not None:
            self._aside.seek(place)
            found: list[str] = json.loads(self._aside.readline())
            return found
        for number, cells in self._rows:
            if number == row:
                return cells
        return ()

    def _put_aside(self, table: Table, apart: Collection[int]) -> dict[int, int]:
        """Write the rows that are asked for out of their order into a file, and return where in it each begins."""
        places: dict[int, int] = {}
        rows: Iterator[tuple[int, list[str]]] = enumerate(table.rows(), 1) if apart else iter(())
        for number, cells in rows:
            if number in apart:
                places[number] = self._aside.tell()
                self._aside.write(json.dumps(cells) + "\n")
        return places


def _none(_: str) -> None:
    """Take nothing for a number: the campaign has settled which cells are, and refused a list in which others are."""
    raise InvalidInput("not asked for")


def _is_workbook(identity: Mapping[str, Any]) -> bool:
    return bool(identity["format"] == "xlsx")
