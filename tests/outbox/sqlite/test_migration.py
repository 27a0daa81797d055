"""A file that version 1 wrote is read, upgraded and worked on with nothing lost."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from pathlib import Path

import pytest

from devinotify.outbox import Outbox, RowState
from devinotify.outbox.sqlite import schema
from devinotify.outbox.sqlite.database import Database
from tests.outbox.support import START, Clock, accepted, claim, database_of, failed, message, not_sent

MINE, THEIRS = "me@gateway.example/rest", "they@gateway.example/rest"
VERSION_1 = Path(__file__).with_name("files") / "version-1.db"
ROWS = [
    (1, 1, "accepted", "sms"),
    (2, 1, "accepted", "sms"),
    (3, 1, "rejected", "sms"),
    (4, 1, "unknown", "sms"),
    (5, 1, "queued", "sms"),
    (6, 1, "queued", "sms"),
    (7, 1, "queued", "viber"),
    (9, 8, "queued", "sms"),
    (11, 8, "queued", "sms"),
    (12, 12, "queued", "sms"),
    (13, 13, "queued", "sms"),
    (14, 14, "queued", "sms"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a copy of a file as version 1 left it: rows in most states, a fallback's step, one message in the intake."""
    found = tmp_path / "outbox.db"
    shutil.copyfile(VERSION_1, found)
    return found


def test_the_rows_are_all_there(path: Path) -> None:
    """Each as it was, with what was remembered and counted."""
    with Outbox(path, clock=Clock()) as outbox:
        rows = [(row.id, row.message_id, str(row.state), row.channel) for row in outbox]
        stored = outbox.message(1)
        assert stored is not None
        assert (ROWS, "1", 1, {"host": "web-1"}, None) == (
            rows,
            outbox.recall("campaign"),
            outbox.counts().forgotten,
            stored.meta,
            stored.account,
        )
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert [(len(schema.MIGRATIONS),), ("ok",)] == [
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "integrity_check")
        ]


def test_it_gives_room_back(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file made before that was thought of shrinks when something is forgotten, while others have it open."""
    with Outbox(path) as outbox:
        outbox.enqueue_many([message(text="x" * 2000)] * 2000)
        before = [row.id for row in outbox.rows(limit=12)]
    size = path.stat().st_size
    with Outbox(path) as other, Outbox(path) as outbox:
        assert len(other) == len(outbox)
        assert 2000 == outbox.forget([row for row in outbox.rows() if row.id not in before])
        assert before == [row.id for row in other]
    assert path.stat().st_size < size / 5
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert ((2,), ("ok",)) == tuple(
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("auto_vacuum", "integrity_check")
        )
    assert 0o600 == path.stat().st_mode & 0o777


def test_room_that_cannot_be_given_back_is_no_error(path: Path) -> None:
    """Somebody reads for long: what was to be forgotten is, and the next time the file shrinks."""
    with Outbox(path) as outbox:
        outbox.enqueue_many([message(text="x" * 2000)] * 1000)
        last = [row.id for row in outbox][-1000:]
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM rows").fetchone()
            database_of(outbox).connection.execute("PRAGMA busy_timeout=50")
            assert 500 == outbox.forget(last[:500])
        assert (500, 12) == (outbox.forget(last[500:]), len(outbox))


def test_they_are_the_accounts_that_opens_the_file_first(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Said in one line, once, whoever comes next; what is enqueued later is not among them."""
    with Outbox(path, clock=Clock()) as outbox, caplog.at_level(logging.INFO):
        outbox.enqueue(message(text="later"))
        assert (12, 0, 0) == (outbox.introduce(MINE), outbox.introduce(MINE), outbox.introduce(THEIRS))
        owners = {row.message_id: stored.account for row in outbox if (stored := outbox.message(row.message_id))}
        assert ({1: MINE, 8: MINE, 12: MINE, 13: MINE, 14: MINE, 15: None}, 1) == (owners, len(caplog.messages))
        assert ("12 rows" in caplog.text, MINE in caplog.text) == (True, True)


def test_they_are_worked_on(path: Path) -> None:
    """What waits goes out, for the account alone; a step of a fallback with the rest."""
    with Outbox(path, clock=Clock(START + 60)) as outbox:
        outbox.introduce(MINE)
        assert (None, [], None) == (
            outbox.claim(account=THEIRS),
            outbox.watch_due(account=THEIRS),
            outbox.next_due(THEIRS),
        )
        watched = [row.id for row in outbox.watch_due(account=MINE)]
        sent = 0
        while batch := outbox.claim(2, account=MINE):
            outbox.settle(batch, accepted(batch))
            sent += len(batch)
        assert (8, [4, 1, 2], 10) == (sent, watched, outbox.counts(MINE)[RowState.ACCEPTED])


def test_without_an_introduction_they_are_the_first_claimers(path: Path) -> None:
    """As with any row that nobody's account stands on."""
    with Outbox(path, clock=Clock(START + 60)) as outbox:
        batch = outbox.claim(1, account=MINE)
        assert batch is not None
        assert (MINE, {MINE: 2}) == (batch.stored.account, outbox.waiting())


def test_a_deadline_from_before_stays_as_if_it_had_been_asked_for(tmp_path: Path) -> None:
    """Until version 5 nobody had written down whose it was; what is set from then on is told apart."""
    path = tmp_path / "outbox.db"
    Database(path, migrations=schema.MIGRATIONS[:4]).close()
    with contextlib.closing(sqlite3.connect(path)) as old, old:
        old.execute(
            "INSERT INTO messages (id, text, channel, created_at, flags) VALUES (1, 'hi', 'sms', ?, 1)", (START,)
        )
        old.execute("UPDATE intake SET id = 2")
        old.executemany(
            "INSERT INTO rows (id, message, recipient, channel, state, attempts, due, deadline)"
            " VALUES (?, 1, ?, 'sms', 0, 1, ?, ?)",
            [(1, 79161234567, START, START + 86400), (2, 79161234568, START, None)],
        )
    with Outbox(path, clock=Clock(START + 60)) as outbox:
        batch = claim(outbox)
        outbox.settle(batch, failed(batch, not_sent()))
        assert [(START + 86400, False), (START + 86400, True)] == [(row.deadline, row.own_deadline) for row in outbox]
