"""The file of an outbox: its rights, and what stands beside it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.encoding import encode_recipient
from tests.outbox.support import NUMBER, accepted, claim, database_of, message, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_close_makes_open_claims_unknown(tmp_path: Path) -> None:
    """What was in flight when the outbox closed is unknown, and no lock file stays."""
    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        outbox.enqueue(message())
        claim(outbox)
        assert 2 < len(list(tmp_path.iterdir()))
    with Outbox(path) as outbox:
        assert (1, []) == (outbox.counts().unknown, list(tmp_path.glob("*-worker-*")))
    assert ["outbox.db"] == [each.name for each in tmp_path.iterdir()]


def test_an_outbox_that_is_collected_lets_go(tmp_path: Path) -> None:
    """An outbox that nobody closed closes its file when it is collected."""
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.enqueue(message())
    claim(outbox)
    del outbox
    assert ["outbox.db"] == [each.name for each in tmp_path.iterdir()]


# --- the file


def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    """Main file, log, shared memory and lock are mode 0600, whatever the umask."""
    before = os.umask(0)
    try:
        with Outbox(tmp_path / "outbox.db") as outbox:
            outbox.enqueue(message())
            claim(outbox)
            modes = {name.name.split("-")[-1][:3]: stat.S_IMODE(name.stat().st_mode) for name in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert (4, {0o600}) == (len(modes), set(modes.values()))


def test_a_paranoid_umask_does_not_lock_us_out(tmp_path: Path) -> None:
    """Even an umask that takes the owner's rights leaves 0600."""
    before = os.umask(0o777)
    try:
        with Outbox(tmp_path / "outbox.db"):
            mode = stat.S_IMODE((tmp_path / "outbox.db").stat().st_mode)
    finally:
        os.umask(before)
    assert 0o600 == mode


def test_loose_rights_are_tightened(tmp_path: Path) -> None:
    """A file that others could read is closed to them when it is opened."""
    path = tmp_path / "outbox.db"
    Outbox(path).close()
    path.chmod(0o644)
    with Outbox(path):
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    "raw",
    ["", "+", "none", "89161234567", "+0123456789", "+1234567", "+123456", "+" + "1" * 15, "+" + "1" * 16, "+٧٩١٦١٢٣٤"],
)
def test_one_recipient_is_stored_like_many(tmp_path: Path, raw: str) -> None:
    """A recipient of a single message comes to stand in the file as one of many does, number or not."""
    with Outbox(tmp_path / "outbox.db") as outbox:
        outbox.enqueue(message(raw))
        outbox.enqueue(message(raw, NUMBER))
        found = [row.recipient for row in outbox]
        ask = "SELECT DISTINCT recipient FROM rows WHERE id < 3"
        assert ([(encode_recipient(raw),)], [raw, raw, NUMBER]) == (
            database_of(outbox).connection.execute(ask).fetchall(),
            found,
        )


def test_forgotten_texts_leave_the_file(tmp_path: Path) -> None:
    """Neither text nor number of a forgotten message can be found in the file afterwards."""
    with Outbox(tmp_path / "outbox.db") as outbox:
        rows = outbox.enqueue(message("not a number but secret", text="the secret text"))
        outbox.forget(rows)
    assert b"secret" not in (tmp_path / "outbox.db").read_bytes()


def test_a_file_shrinks_after_forgetting(tmp_path: Path) -> None:
    """The room of what was forgotten goes back to the disk, but for a little that comes next."""
    path = tmp_path / "outbox.db"
    with Outbox(path) as outbox:
        for _ in range(20):
            outbox.enqueue_many([message(text="x" * 2000)] * 100)
        list(outbox.rows(limit=1))
    before = path.stat().st_size
    with Outbox(path) as outbox:
        assert 2000 == outbox.forget_all([RowState.QUEUED])
    assert path.stat().st_size < before / 10


def test_closing_does_not_hide_the_error_under_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What could not be closed is logged; what happened before comes out. Without it, the failure does."""

    def broken() -> Outbox:
        outbox = Outbox(tmp_path / "outbox.db")
        outbox.enqueue(message())
        claim(outbox)
        trigger = "CREATE TRIGGER IF NOT EXISTS no BEFORE UPDATE ON rows BEGIN SELECT raise(ABORT, 'no'); END"
        database_of(outbox).connection.execute(trigger)
        return outbox

    with pytest.raises(ZeroDivisionError), broken():
        raise ZeroDivisionError
    assert ("SQLite failed" in caplog.text, ["outbox.db"]) == (True, [each.name for each in tmp_path.iterdir()])
    with contextlib.closing(sqlite3.connect(tmp_path / "outbox.db")) as other:
        other.execute("DROP TRIGGER no")
    outbox = broken()
    with pytest.raises(DevinotifyError, match="SQLite failed"):
        outbox.close()


def test_the_second_transaction_of_a_settle_fails_as_unknown(tmp_path: Path) -> None:
    """Where some rows have moved on, and then the disk fails, what was sent is still not called unsent."""
    with Outbox(tmp_path / "outbox.db") as outbox:
        outbox.enqueue(message(*numbers(2)))
        batch = claim(outbox)
        outbox.settle(batch, accepted(batch)[:1])
        database = database_of(outbox)
        write, calls = database.write, []

        @contextlib.contextmanager
        def fails_the_second_time(*arguments: Any, **options: Any) -> Iterator[sqlite3.Connection]:  # noqa: ANN401 - whatever write takes
            calls.append(options)
            with write(*arguments, **options) as connection:
                if len(calls) == 2:
                    connection.execute("no SQL at all")
                yield connection

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "write", fails_the_second_time)
            with pytest.raises(DevinotifyError) as caught:
                outbox.settle(batch, accepted(batch))
        assert (2, Verdict.UNKNOWN, 1) == (len(calls), caught.value.verdict, outbox.counts().claimed)
        assert {batch.rows[1].id: RowState.ACCEPTED} == outbox.settle(batch, accepted(batch))
