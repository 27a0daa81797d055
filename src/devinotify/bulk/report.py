"""What became of a campaign, for people: every row as CSV, and the whole as one HTML page that works offline."""

from __future__ import annotations

import csv
import functools
import heapq
import io
import itertools
import os
from collections import Counter
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify.bulk.journal import STEPS, Journal
from devinotify.bulk.language import Language
from devinotify.bulk.listing import Listing
from devinotify.bulk.page import render
from devinotify.bulk.parts import part_of
from devinotify.bulk.reasons import reason
from devinotify.bulk.summary import Heading, Summary
from devinotify.bulk.tally import Category, category, tally
from devinotify.delivery.daily_window import WINDOW
from devinotify.exceptions import InvalidInput
from devinotify.files import AnyPath, Target, replaced
from devinotify.instants import iso
from devinotify.spreadsheet import all_harmless, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import TextIO

    from devinotify.exceptions import DevinotifyError
    from devinotify.outbox import Row, RowState

COLUMNS = (
    *("row", "repeats_row", "recipient", "category", "state", "channel", "message_ids", "segments", "sent_at"),
    *("status", "status_code", "status_at", "price", "error", "error_code", "error_text", "reason"),
)
"""The columns of the CSV, which has a line for each row of the input, repetitions right behind what they repeat.

``row`` is its number, from 1, the header apart; it is empty while not all of the input is in the journal.
``repeats_row`` is that of the row that has the same number first: the message was one, so that ``segments`` and
``price`` stand there alone, and the columns add up. Times are in UTC. ``reason`` is why it has not arrived, in the
words of the page. Behind them come the list's own columns; one
that has the name of one of ours has ``list_`` before it.
"""

INCOMPLETE = "the input is not all in the journal yet: run the campaign again to complete it"
"""What is said of a journal whose campaign was ended while it read its input."""

DELIMITERS = (",", ";", "\t")
"""What may stand between two cells of the CSV. With a semicolon, prices have a decimal comma, as spreadsheets expect
them where the comma is the decimal sign."""
_ONCE = _SEGMENTS, _PRICE = COLUMNS.index("segments"), COLUMNS.index("price")
"""The columns that add up: empty where a row repeats another."""
_PAGE = 1000
"""Rows that are counted and written at once."""
_DAY = 86_400


def write_report(
    journal: Journal,
    *,
    csv_file: Target | None = None,
    html_file: Target | None = None,
    now: datetime | None = None,
    lang: str = "en",
    source: AnyPath | None = None,
    delimiter: str = ",",
) -> Summary:
    """Write the files that are named, all of them whole or none at all, and return what the rows come to.

    The CSV holds numbers in full and the list's own columns, for the report is the operator's; files are made for their
    owner alone. The page holds no number and no text. Rows are streamed, so that a million takes no more memory than a
    page. What is open for writing, and what is there already and no regular file, is written to directly. ``now`` is
    the instant that the page shows, with its time zone, this machine's if left out; ``lang`` is ``en`` or ``ru``.
    ``source`` is the list, where that is not where it was; of one that is gone or has changed the CSV has no columns,
    and ``unlisted`` says so. ``delimiter`` is one of ``DELIMITERS``.

    Raises InvalidInput, and writes nothing, where a file is the journal's or the list's or is named twice, and where
    ``source`` is another list, and OSError where a file cannot be written.
    """
    Language(lang)
    if delimiter not in DELIMITERS:
        raise InvalidInput("the CSV's delimiter is a comma, a semicolon or a tab")
    moment = now or datetime.now().astimezone()
    given = [target for target in (csv_file, html_file) if target is not None]
    notes = journal.notes
    known = None if notes is None or notes.list_path is None else Path(notes.list_path)
    _check(journal, given, [Path(each) for each in (source, known) if each is not None])
    repeats = journal.repeats()
    listing: AbstractContextManager[Listing | None] = nullcontext()
    unlisted = None
    if csv_file is not None:
        try:
            listing = _listing(journal, source or known, repeats) or listing
        except InvalidInput as error:
            if source is not None:
                raise
            unlisted = str(error)
        else:
            if source is None and known is None and notes is not None:
                unlisted = "the list was read from a stream"
    encodings = {csv_file: "utf-8-sig", html_file: "utf-8"}
    with listing as own, replaced({target: encodings[target] for target in given}) as files:
        lines = None if csv_file is None else files[csv_file]
        written = None if lines is None else _Sheet(lines, delimiter, Language(lang))
        summary = _summary(journal, written, own, repeats, moment.timestamp())
        summary.unlisted = unlisted
        if html_file is not None:
            files[html_file].write(render(summary, _heading(journal), moment, lang))
    return summary


def write_invalid(
    rows: Iterable[tuple[int, str, DevinotifyError]], csv_file: Target, line_of: Callable[[int], int]
) -> int:
    """Write the rows that cannot be sent to, as ``Campaign.invalid`` yields them, and return how many there are.

    Each has its line in the list, which ``line_of`` returns, as ``Campaign.line`` does. What stands there is written in
    full. Raises OSError where the file cannot be written.
    """
    count = 0
    with replaced({csv_file: "utf-8-sig"}) as files:
        writer = csv.writer(files[csv_file])
        writer.writerow(("line", "recipient", "error"))
        for row, raw, error in rows:
            writer.writerow((line_of(row), *all_harmless((raw, str(error)))))
            count += 1
    return count


def _heading(journal: Journal) -> Heading:
    """Return what the journal tells of its campaign beside the rows."""
    identity, notes = journal.identity or {}, journal.notes
    at = identity.get("send_at")
    price = None if notes is None else notes.price
    return Heading(
        name=journal.name,
        channel=identity.get("channel"),
        steps=tuple(identity.get(STEPS) or ()),
        sender=identity.get("sender"),
        list_name=None if notes is None else notes.list_name,
        begun=journal.began_at,
        scheduled=None if at is None else datetime.fromisoformat(at),
        price=None if price is None else Decimal(price),
    )


def _listing(journal: Journal, path: AnyPath | None, repeats: Mapping[str, Sequence[int]]) -> Listing | None:
    """Return the list's own columns, or ``None`` where nobody knows it, or which row of it stands where."""
    identity = journal.identity
    if path is None or identity is None or journal.fed is None:
        return None
    return Listing(path, identity, frozenset(row for rows in repeats.values() for row in rows))


def _names(columns: Sequence[str]) -> list[str]:
    """Return the head of the CSV: no two columns have the same name."""
    found = list(COLUMNS)
    for name in columns:
        own = f"list_{name}" if name in COLUMNS else name
        further = (f"{own}_{number}" for number in range(2, len(columns) + 2))
        found.append(own if own not in found else next(each for each in further if each not in found))
    return list(map(harmless, found))


def _summary(
    journal: Journal,
    sheet: _Sheet | None,
    listing: Listing | None,
    repeats: Mapping[str, Sequence[int]],
    now: float,
) -> Summary:
    """Return what the rows come to, and write each into the file where there is one."""
    states: Counter[RowState] = Counter()
    categories: Counter[Category] = Counter()
    windowed = (journal.identity or {}).get(WINDOW) is not None
    summary = Summary(complete=journal.fed is not None, windowed=windowed)
    fallback = journal.fallback
    if sheet is not None:
        sheet.write([_names(() if listing is None else listing.columns)])
    merged = heapq.merge(_sent(journal), journal.refused_rows(), key=lambda line: line[0])
    while some := list(itertools.islice(merged, _PAGE)):
        rows = [row for _, _, row in some]
        states.update(row.state for row in rows)
        categories.update(summary.add(rows, now))
        if repeats:
            for row in rows:
                categories[category(row)] += len(repeats.get(row.recipient, ()))
        if not fallback:
            summary.pay(rows)
        summary.listed += sum((row.price for row in rows if row.price is not None), Decimal(0))
        if sheet is not None:
            sheet.write(
                _lines(
                    some, listing, repeats, sheet, lambda row: reason(row, part_of(row, now), now, windowed=windowed)
                )
            )
    summary.pay(journal.steps())
    summary.again(journal.tries)
    summary.tally = tally(states, categories, sum(map(len, repeats.values())))
    return summary


class _Sheet:
    """The CSV that is written, with its delimiter and language; ``comma``: whether prices have a decimal comma."""

    def __init__(self, file: TextIO, delimiter: str, language: Language) -> None:
        self.language = language
        self._file = file
        self._delimiter = delimiter
        self.comma = delimiter == ";"

    def write(self, lines: Iterable[Sequence[object]]) -> None:
        """Write lines at once: a file to which each is written by itself encodes each by itself."""
        written = io.StringIO(newline="")
        csv.writer(written, delimiter=self._delimiter).writerows(lines)
        self._file.write(written.getvalue())


def _lines(
    some: Iterable[tuple[int, str, Row]],
    listing: Listing | None,
    repeats: Mapping[str, Sequence[int]],
    sheet: _Sheet,
    why: Callable[[Row], str | None],
) -> Iterator[Sequence[object]]:
    """Yield the lines of the CSV for rows of the journal at their places, repetitions behind what they repeat."""

    def own(row: int) -> Sequence[str]:
        return () if listing is None else all_harmless(listing.cells(row))

    for place, recipient, row in some:
        key = why(row)
        line = [place or "", "", *_cells(row, recipient), "" if key is None else sheet.language.reason(key).what]
        if sheet.comma and line[_PRICE] is not None:
            line[_PRICE] = str(line[_PRICE]).replace(".", ",")
        yield (*line, *own(place))
        for again in repeats.get(row.recipient, ()):
            line[:2] = again, place
            for column in _ONCE:
                line[column] = None
            yield (*line, *own(again))


def _sent(journal: Journal) -> Iterator[tuple[int, str, Row]]:
    """Yield place, recipient and row of what was to be sent to, in the order of the input; place 0 where unknown."""
    places = journal.places()
    for row in journal.recipient_rows():
        yield next(places, 0), row.recipient, row


def _cells(row: Row, recipient: str) -> tuple[object, ...]:
    recipient, ids, text = all_harmless((recipient, " ".join(row.message_ids), row.error_text or ""))
    return (
        recipient,
        category(row),
        row.state,
        row.via or row.channel,
        ids,
        row.segments,
        _moment(row.sent_at),
        row.status,
        row.status_code,
        _moment(row.status_at),
        row.price,
        row.error,
        row.error_code if row.error_code is not None else row.error_reason,
        text,
    )


def _moment(seconds: float | None) -> str:
    """Return an instant as ``iso`` does, to the second: far quicker, as many rows are of the same one."""
    return "" if seconds is None else _second(int(seconds))


@functools.lru_cache(maxsize=10_000)
def _second(whole: int) -> str:
    day, rest = divmod(whole, _DAY)
    return f"{_date(day)}{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


@functools.lru_cache(maxsize=100)
def _date(day: int) -> str:
    return iso(datetime.fromtimestamp(day * _DAY, UTC), "seconds").removesuffix("00:00:00Z")


def _check(journal: Journal, targets: Sequence[Target], lists: Iterable[Path]) -> None:
    """Raise InvalidInput where a target is a file of the journal or the list, or both are the same."""
    reals = [_real(target) if isinstance(target, (str, os.PathLike)) else target for target in targets]
    if journal.path is not None:
        _check_beside(journal.path, reals)
    for listed in lists:
        if any(
            isinstance(real, Path) and real.exists() and listed.exists() and real.samefile(listed) for real in reals
        ):
            raise InvalidInput(f"{listed.name} is the list of the campaign and must stay: name another file")
    if len(set(reals)) < len(reals):
        raise InvalidInput("the CSV and the page would be written to the same place: name two files")


def _check_beside(journal: Path, reals: Sequence[Target]) -> None:
    # Where the journal is a link, SQLite's files are beside what it leads to, and the locks of processes beside it.
    homes = {str(_real(journal)), str(_real(journal.parent) / journal.name)}
    beside = {home + end for home in homes for end in ("-wal", "-shm", "-journal")}
    for real in reals:
        if not isinstance(real, Path):
            continue
        locks = str(real).startswith(tuple(f"{home}-worker-" for home in homes))
        # Where capital letters make no difference, the journal has other names as well.
        if str(real) in homes | beside or locks or (real.exists() and real.samefile(journal)):
            raise InvalidInput(f"{real.name} is the journal or belongs to it and must stay: name another file")


def _real(path: AnyPath) -> Path:
    # Path.resolve() raises what is not an OSError for a link that leads to itself.
    return Path(os.path.realpath(path))
