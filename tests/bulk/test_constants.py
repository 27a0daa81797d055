"""The numbers and the tables of states that a campaign lives by, each typed here once more."""

from __future__ import annotations

from devinotify.bulk import (
    cells,
    columns,
    deliveries,
    encodings,
    intake,
    journal,
    leaving_out,
    objects,
    outlook,
    page,
    plan,
    ranges,
    seen,
    sending,
    source,
    table,
    tally,
    timeline,
)
from devinotify.outbox import RowState
from devinotify.retry import Backoff
from tests.tables import table as walked

PINNED: dict[str, tuple[object, object]] = {
    "attempts before a recipient is waited for no more": (10, sending.MOST_ATTEMPTS),
    "how an outcome is written to the journal again": (Backoff(1.0, 1.0, tries=4), sending.WRITTEN_AGAIN),
    "seconds for which a limit is waited for": (60.0, sending.LONGEST_WAIT),
    "seconds between two looks whether another process has put all in": (1.0, sending.FED_ELSEWHERE_EVERY),
    "deliveries asked for at a time": (8, deliveries.CONNECTIONS),
    "connections that take steps": (2, deliveries.STEP_CONNECTIONS),
    "seconds between two looks for deliveries that are due": (1.0, deliveries.NAP),
    "seconds without a sender before what waits is taken for left alone": (5.0, deliveries.QUIET),
    "seconds between two searches for steps that are due": (5.0, deliveries.STEPS_EVERY),
    "lines of one row": (50, cells.MOST_LINES),
    "columns that an error lists": (20, columns.LISTED),
    "characters of a cell that an error shows": (40, columns.CUT),
    "bytes by which an encoding is found": (65_536, encodings.ENOUGH),
    "recipients kept in memory": (2_000_000, intake.KEPT),
    "recipients that take as much memory as a refused row": (20, intake.OTHERS),
    "numbers of another journal taken at once": (10_000, leaving_out.SOME),
    "characters of an item of JSON": (1_048_576, objects.MOST),
    "seconds that a request is taken to last": (0.2, outlook.ROUND_TRIP),
    "rows of the curve's table": (24, page.MOST_ROWS),
    "recipients by which plugins are foreseen": (100, plan.FIRST),
    "seconds of a request in an estimate": (0.2, plan.LEAST),
    "seconds of a recipient in an estimate": (0.002, plan.PER_RECIPIENT),
    "digits by which numbers are counted together": (7, ranges.RANGE),
    "groups of numbers that are shown": (10, ranges.MOST),
    "numbers that a set is used for": (1_000_000, seen.FEW),
    "bytes of a list read at a time": (1_048_576, source.BLOCK),
    "characters of a line": (1_048_576, source.MAX_LINE),
    "rows in memory at a time": (25_000, table.PAGE),
    "rows of the first page": (2500, table.FIRST_PAGE),
    "steps of a curve": (240, timeline.MOST_BINS),
    "spans of time counted apart": (5000, timeline.KEPT),
    "what --retry takes": ((RowState.NOT_SENT, RowState.REJECTED, RowState.FAILED), journal.RETRIED),
    "what is retried and explained by an error of the journal": (
        (RowState.NOT_SENT, RowState.REJECTED),
        journal.EXPLAINED,
    ),
    "what is not sent yet": ((RowState.QUEUED, RowState.CLAIMED), journal.OPEN),
    "the states of a step that is not decided": (set(RowState) - {RowState.DELIVERED}, journal.UNDECIDED),
    "the states of those whom another campaign reaches": (
        set(RowState) - {RowState.NOT_SENT, RowState.REJECTED, RowState.FAILED},
        leaving_out.REACHED,
    ),
    "the states of who is dealt with": (
        (RowState.ACCEPTED, RowState.REJECTED, RowState.NOT_SENT, RowState.UNKNOWN),
        sending.TOLD,
    ),
    "the category of each state": (
        {
            RowState.QUEUED: tally.Category.NOT_SENT,
            RowState.CLAIMED: tally.Category.UNKNOWN,
            RowState.ACCEPTED: tally.Category.ACCEPTED,
            RowState.REJECTED: tally.Category.REJECTED,
            RowState.NOT_SENT: tally.Category.NOT_SENT,
            RowState.UNKNOWN: tally.Category.UNKNOWN,
            RowState.DELIVERED: tally.Category.ACCEPTED,
            RowState.FAILED: tally.Category.ACCEPTED,
        },
        tally.CATEGORIES,
    ),
}


@walked("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
