"""What became of a campaign, for people: every row as CSV, and the whole as one HTML page that works offline."""

from __future__ import annotations

import csv
import heapq
import html
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from devinotify.bulk.tally import Category, category, tally
from devinotify.exceptions import InvalidInput
from devinotify.files import AnyPath, Target, replaced
from devinotify.instants import iso
from devinotify.outbox import RowState
from devinotify.spreadsheet import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from devinotify.bulk.journal import Journal
    from devinotify.bulk.tally import Tally
    from devinotify.exceptions import DevinotifyError
    from devinotify.outbox import Row

COLUMNS = (
    *("row", "repeats_row", "recipient", "category", "state", "channel", "message_ids", "segments", "sent_at"),
    *("status", "status_code", "status_at", "price", "error", "error_code", "error_text"),
)
"""The columns of the CSV, which has a line for each row of the input, repetitions right behind what they repeat.

``row`` is its number, from 1, the header apart; it is empty while not all of the input is in the journal.
``repeats_row`` is that of the row that has the same number first. Times are in UTC.
"""

INCOMPLETE = "the input is not all in the journal yet: run the campaign again to complete it"
"""What is said of a journal whose campaign was ended while it read its input."""

_REFUSED = re.compile(r"row (\d+): (.*)", re.DOTALL)
_MINUTE = 60


@dataclass(slots=True)
class Summary:
    """What the rows come to: where they stand, statuses, reasons of failures, and deliveries by the minute.

    ``complete`` is false where the journal does not hold all of the input, as after a kill while it was read.
    """

    tally: Tally
    complete: bool = True
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    sent: Counter[int] = field(default_factory=Counter)
    delivered: Counter[int] = field(default_factory=Counter)
    segments: int = 0


def write_report(
    journal: Journal,
    *,
    csv_file: Target | None = None,
    html_file: Target | None = None,
    now: datetime | None = None,
) -> Summary:
    """Write the files that are named, all of them whole or none at all, and return what the rows come to.

    The CSV holds numbers in full, for the report is the operator's; files are made for their owner alone. The page
    holds no number and no text. Rows are streamed, so that a million takes no more memory than a page. What is open for
    writing, and what is there already and no regular file, is written to directly. ``now`` is the instant that the page
    shows. The page's charts need the extra ``bulk``. Raises InvalidInput, and writes nothing, where a file is the
    journal's own or named twice, and OSError where one cannot be written.
    """
    if html_file is not None:
        from devinotify.bulk import charts  # noqa: F401 - where the extra is missing, nothing is written at all
    _check(journal, [target for target in (csv_file, html_file) if target is not None])
    encodings = {csv_file: "utf-8-sig", html_file: "utf-8"}
    with replaced({target: encoding for target, encoding in encodings.items() if target is not None}) as files:
        summary = _summary(journal, None if csv_file is None else csv.writer(files[csv_file]))
        if html_file is not None:
            files[html_file].write(render(summary, journal.name, now or datetime.now(UTC)))
    return summary


def write_invalid(rows: Iterable[tuple[int, str, DevinotifyError]], csv_file: Target) -> int:
    """Write the rows that cannot be sent to, as ``Campaign.invalid`` yields them, and return how many there are.

    What stands there is written in full. Raises OSError where the file cannot be written.
    """
    count = 0
    with replaced({csv_file: "utf-8-sig"}) as files:
        writer = csv.writer(files[csv_file])
        writer.writerow(("row", "recipient", "error"))
        for row, raw, error in rows:
            writer.writerow((row, harmless(raw), str(error)))
            count += 1
    return count


def render(summary: Summary, name: str, now: datetime) -> str:
    """Return the page: figures, charts as inline SVG, and the same numbers as tables. It refers to nothing outside."""
    from devinotify.bulk import charts

    figures = summary.tally
    tiles = "".join(f"<div class='tile {each}'><b>{figures.of(each):,}</b>{_words(each)}</div>" for each in Category)
    facts = [
        ("rows of the input", figures.rows),
        ("of them repeated numbers, not sent again", figures.duplicates),
        ("recipients that still wait", figures.waiting),
        ("segments accepted", summary.segments),
        ("delivered", figures.delivered),
        ("not delivered", figures.failed),
    ]
    parts = [
        "" if summary.complete else f"<p class='warning'>Not complete: {INCOMPLETE}.</p>",
        f"<section class='tiles'>{tiles}</section>",
        _table("In numbers", ("", ""), facts),
    ]
    for title, first, counter in (
        ("Delivery status", "status", summary.statuses),
        ("Why not delivered", "reason", summary.reasons),
    ):
        if counter:
            parts.append(f"<h2>{title}</h2>{charts.bars(counter, title)}")
            parts.append(_table("", (first, "recipients"), counter.most_common()))
    if summary.sent:
        parts.append(f"<h2>Delivery over time</h2>{charts.over_time(summary.sent, summary.delivered)}")
    shown = html.escape(name)
    return _PAGE.format(name=shown, now=now.isoformat(" ", "seconds"), body="\n".join(parts), style=_STYLE)


def _summary(journal: Journal, writer: object) -> Summary:
    write = getattr(writer, "writerow", None)
    if write is not None:
        write(COLUMNS)
    repeats = journal.repeats()
    states: Counter[RowState] = Counter()
    categories: Counter[Category] = Counter()
    summary = Summary(tally(states, categories, 0), journal.fed is not None)
    for place, recipient, row in heapq.merge(_sent(journal), _refused(journal), key=lambda line: line[0]):
        more = repeats.get(row.recipient, ())
        states[row.state] += 1
        categories[category(row)] += 1 + len(more)
        _count(row, summary)
        if write is not None:
            rest = _cells(row, recipient)
            write((place or "", "", *rest))
            for again in more:
                write((again, place, *rest))
    summary.tally = tally(states, categories, sum(map(len, repeats.values())))
    return summary


def _sent(journal: Journal) -> Iterator[tuple[int, str, Row]]:
    """Yield place, recipient and row of what was to be sent to, in the order of the input; place 0 where unknown."""
    places = journal.places()
    for row in journal.rows():
        if not _REFUSED.fullmatch(row.recipient):
            yield next(places, 0), row.recipient, row


def _refused(journal: Journal) -> Iterator[tuple[int, str, Row]]:
    """Yield the same of what was refused: its place, what stood there, and the row."""
    for row in journal.rows({RowState.NOT_SENT}):
        if found := _REFUSED.fullmatch(row.recipient):
            yield int(found[1]), found[2], row


def _count(row: Row, summary: Summary) -> None:
    if row.sent_at is not None:
        summary.statuses[str(row.status or "no report yet")] += 1
        summary.sent[int(row.sent_at // _MINUTE) * _MINUTE] += 1
        summary.segments += row.segments or 0
    if row.state is RowState.DELIVERED and row.status_at is not None:
        summary.delivered[int(row.status_at // _MINUTE) * _MINUTE] += 1
    if row.state is RowState.FAILED:
        summary.reasons[f"{row.status} (state {row.status_code})"] += 1
    elif row.error is not None:
        detail = row.error_reason or (f"code {row.error_code}" if row.error_code is not None else "")
        summary.reasons[f"{row.error}: {detail}" if detail else row.error] += 1


def _cells(row: Row, recipient: str) -> tuple[object, ...]:
    return (
        harmless(recipient),
        category(row).value,
        str(row.state),
        row.via or row.channel,
        " ".join(row.message_ids),
        row.segments,
        _moment(row.sent_at),
        row.status,
        row.status_code,
        _moment(row.status_at),
        row.price,
        row.error,
        row.error_code if row.error_code is not None else row.error_reason,
        harmless(row.error_text or ""),
    )


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else iso(datetime.fromtimestamp(seconds, UTC), "seconds")


def _words(each: Category) -> str:
    return each.value.replace("_", " ")


def _table(title: str, head: tuple[str, str], rows: list[tuple[str, int]]) -> str:
    heading = f"<h2>{title}</h2>" if title else ""
    cells = "".join(f"<tr><td>{html.escape(str(name))}</td><td>{count:,}</td></tr>" for name, count in rows)
    top = f"<tr><th>{head[0]}</th><th>{head[1]}</th></tr>" if any(head) else ""
    return f"{heading}<table>{top}{cells}</table>"


def _check(journal: Journal, targets: Sequence[Target]) -> None:
    """Raise InvalidInput where a target is a file of the journal, or both are the same."""
    reals = [_real(target) if isinstance(target, (str, os.PathLike)) else target for target in targets]
    if journal.path is not None:
        _check_beside(journal.path, reals)
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


_STYLE = """
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #f5f6f8; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2rem; } .when { color: #5c6675; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem; margin: 1.5rem 0; }
.tile { background: #fff; border-radius: .6rem; padding: 1rem; border-top: 4px solid #8a94a3; }
.tile b { display: block; font-size: 1.7rem; }
.accepted { border-color: #2b8a57; } .rejected { border-color: #c0392b; } .invalid { border-color: #d08a1d; }
.unknown { border-color: #7a4fb5; }
.warning { background: #fdf1d8; border-left: 4px solid #d08a1d; padding: .7rem 1rem; }
table { border-collapse: collapse; background: #fff; min-width: 24rem; }
td, th { padding: .35rem .9rem; text-align: left; }
tr + tr { border-top: 1px solid #e6e9ee; } td:last-child, th:last-child { text-align: right; }
svg { max-width: 100%; height: auto; background: #fff; border-radius: .6rem; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Campaign {name}</title>
<style>{style}</style>
</head>
<body>
<h1>Campaign {name}</h1>
<p class="when">As of {now}</p>
{body}
</body>
</html>
"""
