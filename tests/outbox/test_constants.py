"""The numbers that an outbox lives by, each typed here once more."""

from __future__ import annotations

from devinotify.outbox import allowance, buckets, clock, outbox, pace, records, room, settlement, states
from devinotify.outbox.sqlite import claiming, connecting, database, reading, recognition, store, transaction
from devinotify.retry import Backoff
from tests.tables import table

PINNED: dict[str, tuple[object, object]] = {
    "rows of an outbox": (1_000_000, room.MAX_ROWS),
    "seconds for which a row is tried": (86_400.0, states.RETRY_FOR),
    "pauses before a further attempt": (Backoff(5.0, 2.0, 900.0, 0.5), states.BACKOFF),
    "seconds to the first look at a delivery": (15.0, states.POLL_FIRST),
    "seconds between two looks at a delivery": (1800.0, states.POLL_MOST),
    "seconds for which a delivery is watched": (172_800.0, states.WATCH_FOR),
    "seconds between two looks for what a clock that was ahead has stored": (60.0, outbox.LOOK_AHEAD_EVERY),
    "seconds by which the clocks of one outbox may differ": (5.0, outbox.CLOCK_TOLERANCE),
    "seconds by which a clock is kept in time": (5.0, clock.NOTICED),
    "seconds of a request": (30.0, outbox.REQUEST_SECONDS),
    "rows that an iteration reads at a time": (1000, outbox.PAGE),
    "entries of a bucket that an iteration reads at a time": (1000, buckets.PAGE),
    "texts that the names of an allowance are spread over": (1024, allowance.PARTS),
    "seconds by which a clock that was set back differs": (60.0, pace.SET_BACK),
    "characters kept of an error": (200, records.ERROR_LENGTH),
    "seconds that are waited for a limit": (1.0, settlement.LEAST_WAIT),
    "SQLite: batches that a claim looks ahead": (4, claiming.LOOK_AHEAD),
    "SQLite: seconds for another process's transaction": (30.0, connecting.BUSY_TIMEOUT),
    "SQLite: pages given back to the disk at once": (500, database.SHRINK_PAGES),
    "SQLite: free pages that a file keeps": (50, database.SPARE_PAGES),
    "SQLite: rows of a message that are found by its index": (1000, reading.FEW),
    "SQLite: bytes that are read through for damage": (8_388_608, recognition.CHECKED_SIZE),
    "SQLite: seconds without a look whether the file is still there": (1.0, store.CHECK_EVERY),
    "SQLite: lines of the intake that one claim moves": (5000, transaction.FLUSH_CHUNK),
}


@table("name", PINNED)
def test_a_number_is_what_it_was(name: str) -> None:
    """A number changes here and in the code, or not at all."""
    expected, actual = PINNED[name]
    assert expected == actual
