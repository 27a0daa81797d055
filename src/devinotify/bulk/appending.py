"""Whether a list has only grown since its campaign: what the journal holds stands in it as it stood, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from devinotify.exceptions import DevinotifyError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from devinotify.bulk.journal import Journal
    from devinotify.bulk.sorting import Sorted
    from devinotify.outbox import Row


class Line(NamedTuple):
    """A row of the list: its recipient's number or what else stands there, and the text of its own where it has one."""

    raw: str
    text: str | None = None


def check_grown(
    journal: Journal,
    pages: Iterable[Sorted],
    read: Callable[[str], str],
    line_of: Callable[[int], int],
    *,
    personal: bool,
) -> int:
    """Return how many rows the list, whose ``pages`` these are, has now behind those that the journal took in.

    ``read`` returns the number of what stands in a row, in E.164, or raises DevinotifyError. With ``personal`` texts,
    each has to be what it was. ``line_of`` returns the line of a row. Raises InvalidInput, which names the line, where
    any that is in the journal is another now or is gone.
    """
    lines = _of_list(pages)
    recipients = journal.recipient_rows()
    number = 0
    for number, line in enumerate(_of_journal(journal, recipients, personal=personal), 1):
        found = next(lines, None)
        if found is None or not _same(line, found, read):
            raise InvalidInput(_told(journal, f"line {line_of(number)} of the list is not what it was"))
    added = 0
    # A run that was killed may have put in some of the rows behind them.
    for row in recipients:
        line = _of_row(journal, row, personal=personal)
        for found in lines:
            added += 1
            if found.raw == line.raw:
                break
        else:
            found = None
        if found is None or found.text != line.text:
            raise InvalidInput(_told(journal, f"a row behind line {line_of(number)} of the list is not what it was"))
    return added + sum(1 for _ in lines)


def _told(journal: Journal, what: str) -> str:
    return (
        f"{what} when {journal.name} took it in, and only rows at its end may be new. What has changed goes out as a"
        " campaign of its own, without whom this one has reached: --exclude-journal leaves them out"
    )


def _same(line: Line, found: Line, read: Callable[[str], str]) -> bool:
    """Whether two rows are to the same number: as text, one stands as it did where it was left out, and so refused."""
    alike = line.raw == found.raw or _number(line.raw, read) == _number(found.raw, read)
    return alike and (None in (line.text, found.text) or line.text == found.text)


def _number(raw: str, read: Callable[[str], str]) -> str:
    try:
        return read(raw)
    except DevinotifyError:
        return raw


def _of_list(pages: Iterable[Sorted]) -> Iterator[Line]:
    first = 1
    for page in pages:
        others = dict(page.duplicates) | {row: raw for row, raw, _ in page.refused}
        texts = iter(page.texts)
        numbers = iter(page.numbers)
        for row in range(first, first + page.rows):
            yield Line(others[row]) if row in others else Line(next(numbers), next(texts, None))
        first += page.rows


def _of_journal(journal: Journal, recipients: Iterator[Row], *, personal: bool) -> Iterator[Line]:
    """Yield the rows that are wholly in the journal; of ``recipients``, those behind them are left."""
    refused = journal.refused_rows()
    first = 1
    for page in journal.put_pages():
        others = dict(page["repeats"])
        left_out = set(page["refused"])
        for row in range(first, first + page["rows"]):
            if row in others:
                yield Line(others[row])
            elif row in left_out:
                yield Line(next((raw for number, raw, _ in refused if number == row), ""))
            else:
                recipient = next(recipients, None)
                yield Line("") if recipient is None else _of_row(journal, recipient, personal=personal)
        first += page["rows"]


def _of_row(journal: Journal, row: Row, *, personal: bool) -> Line:
    stored = journal.outbox.message(row.message_id) if personal else None
    return Line(row.recipient, None if stored is None else stored.message.text)
