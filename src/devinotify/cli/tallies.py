"""What a campaign comes to: how far it is, where its rows stand, and the exit code of that."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from devinotify.cli.exits import ExitCode
from devinotify.translation import _, ngettext, number, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devinotify.bulk import Progress, Result, Tally

CATEGORY_EXITS: tuple[tuple[str, ExitCode], ...] = (
    ("unknown", ExitCode.UNKNOWN),
    ("not_sent", ExitCode.NOT_SENT),
    ("invalid", ExitCode.NOT_SENT),
    ("rejected", ExitCode.REJECTED),
)
"""The exit code of a campaign that has rows in a category: the first that has some decides."""


def exit_code(result: Result) -> ExitCode:
    """Return the code of the worst category; what is left to the next run or to another process is not a failure."""
    missed = missed_of(result)
    return next((code for name, code in CATEGORY_EXITS if name in missed), ExitCode.ACCEPTED)


def missed_of(result: Result) -> Mapping[str, int]:
    """Return how many rows there are in each category that is a failure, but for what others deal with."""
    from devinotify.bulk import End

    tally = result.tally
    others = {"unknown": tally.in_flight, "not_sent": tally.waiting if result.end in (End.LIMIT, End.ELSEWHERE) else 0}
    counts = {name: getattr(tally, name) - others.get(name, 0) for name, _code in CATEGORY_EXITS}
    return {name: count for name, count in counts.items() if count > 0}


def progress_line(progress: Progress) -> str:
    """Return how far a run is, in one line."""
    if progress.phase == "reading":
        return ngettext(
            "reading: {done:,} of {count:,} row",
            "reading: {done:,} of {count:,} rows",
            progress.total,
            done=progress.done,
        )
    parts = [_("{rate:,.0f}/s", rate=progress.rate), f"{_('accepted')} {number(progress.accepted)}"]
    parts += [
        f"{_(name.replace('_', ' '))} {number(count)}"
        for name in ("rejected", "not_sent", "unknown")
        if (count := getattr(progress, name))
    ]
    if progress.cost is not None:
        parts.append(f"{_('cost')} {number(progress.cost)}")
    if progress.remaining is not None:
        parts.append(_("{time} left", time=in_words(progress.remaining)))
    position = _("{done:,} of {total:,}", done=progress.done, total=progress.total)
    line = f"{position}: {', '.join(parts)}"
    if progress.error is None:
        return line
    stuck = _("{line}; nothing goes out: {why}", line=line, why=told(progress.error))
    if progress.next_try is None:
        return stuck
    return _("{line}; the next try is in {time}", line=stuck, time=in_words(progress.next_try))


def held_line(count: int) -> str:
    """Return how many were put off by the daily window, in one line."""
    return ngettext(
        "{count:,} of the accepted was held until the recipient's window opens",
        "{count:,} of the accepted were held until the recipients' window opens",
        count,
    )


def counts_of(tally: Tally) -> Mapping[str, int]:
    """Return where the rows stand, by name, their sum first."""
    return {"rows": tally.rows, **asdict(tally)}


INNER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("rows", ("duplicates",)),
    ("accepted", ("delivered", "failed")),
    ("rejected", ()),
    ("invalid", ()),
    ("not_sent", ("waiting",)),
    ("unknown", ("in_flight",)),
)
"""The counts of a tally as they are shown: under each what is a part of it."""


def tally_rows(tally: Tally) -> list[tuple[str, object]]:
    """Return where the rows stand, as pairs of a name and a count; what is a part of another is indented under it."""
    counts = counts_of(tally)
    rows: list[tuple[str, object]] = []
    for name, parts in INNER:
        rows.append((_(name.replace("_", " ")), number(counts[name])))
        rows += [
            (f"  {_('of them {part}', part=_(part.replace('_', ' ')))}", number(counts[part]))
            for part in parts
            if counts[part]
        ]
    return rows


def in_words(seconds: float) -> str:
    """Return a time in words, as roughly as people tell it."""
    if seconds < 1:
        return _("a second")
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, _("h")), (minutes, _("min")), (left if not hours else 0, _("s"))]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
