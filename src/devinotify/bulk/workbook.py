"""Workbooks of Excel and LibreOffice as rows: the extra ``bulk`` brings what reads them."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from devinotify.exceptions import InvalidInput
from devinotify.words import installing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime, time, timedelta

    from python_calamine import CalamineSheet

_ZIP = b"PK\x03\x04"  # the mark of .xlsx and .ods
_OLD = bytes.fromhex("D0CF11E0A1B11AE1")  # the mark of .xls
NEEDED = f"this is a workbook: save it as CSV in UTF-8, or install what reads one: {installing('bulk')}"


def is_workbook(file: IO[bytes]) -> bool:
    """Return whether a file is meant as a workbook by its first bytes: a zip archive, or what Excel wrote before 2007.

    One that was cut short, or is damaged behind them, is one too: no list of recipients begins so.
    """
    file.seek(0)
    head = file.read(len(_OLD))
    file.seek(0)
    return head == _OLD or head.startswith(_ZIP)


class Workbook:
    """The rows of the one sheet that has some, as texts; ``name`` is what errors call the file.

    Raises InvalidInput where it cannot be read, where several sheets have rows, and without the extra ``bulk``.
    """

    def __init__(self, file: IO[bytes], name: str = "the input") -> None:
        try:
            import python_calamine
        except ImportError:
            raise InvalidInput(NEEDED) from None
        try:
            file.seek(0)
            book = python_calamine.CalamineWorkbook.from_filelike(file)
            sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        except python_calamine.PasswordError:
            raise InvalidInput(f"{name} is locked with a password: save the workbook without one") from None
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise InvalidInput(
                f"{name} begins as a workbook does and cannot be read as one ({type(error).__name__}): it is damaged,"
                " cut short or another archive. Save it anew, or as CSV"
            ) from None
        filled = [sheet for sheet in sheets if sheet.height]
        if len(filled) > 1:
            raise InvalidInput(
                f"{len(filled)} sheets of the workbook have rows, and none is guessed: leave the one to send to in it"
            )
        self._sheet: CalamineSheet | None = filled[0] if filled else None

    def chunks(self, size: int, *, header: bool) -> Iterator[list[list[str]]]:
        """Yield the rows that are not empty, without the header, so many at a time."""
        skip = header
        some: list[list[str]] = []
        for values in self._sheet.iter_rows() if self._sheet is not None else ():
            row = [_text(value) for value in values]
            if not "".join(row).strip():
                continue
            if skip:
                skip = False
                continue
            some.append(row)
            if len(some) >= size:
                yield some
                some = []
        if some:
            yield some

    def places(self, *, header: bool) -> Iterator[int]:
        """Yield the numbers that a spreadsheet shows beside the rows that ``chunks`` yields."""
        if self._sheet is None or self._sheet.end is None:
            return
        skip = header
        # Rows that are empty at the start may be left out.
        first = self._sheet.end[0] + 2 - sum(1 for _ in self._sheet.iter_rows())
        for place, values in enumerate(self._sheet.iter_rows(), first):
            if "".join(map(_text, values)).strip():
                if not skip:
                    yield place
                skip = False


def _text(value: float | str | bool | datetime | date | time | timedelta) -> str:
    """Return a cell as it is seen: a number without a fraction has none."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
