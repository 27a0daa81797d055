"""The file: recognised, created, upgraded, refused; and what happens when the disk does not play along."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox import Outbox
from devinotify.outbox.encoding import encode_recipient
from devinotify.outbox.sqlite import recognition, schema
from devinotify.outbox.sqlite.connecting import use_wal
from devinotify.outbox.sqlite.database import Database
from devinotify.outbox.sqlite.store import SqliteStore
from tests.outbox.support import NUMBER, accepted, claim, database_of, finish, message, numbers, run_python
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox goes."""
    return tmp_path / "outbox.db"


def filled(path: Path) -> None:
    """Make an outbox with something in it."""
    with Outbox(path) as outbox:
        outbox.enqueue(message(*numbers(500), text="x" * 2000))


def edit(path: Path, *statements: str) -> None:
    """Change a database from outside."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def _text(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 50)


def _short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def _foreign(path: Path) -> None:
    edit(path, "CREATE TABLE theirs (a)", "INSERT INTO theirs VALUES (1)")


def _foreign_wal(path: Path) -> None:
    edit(path, "PRAGMA journal_mode=WAL", "PRAGMA application_id=1", "CREATE TABLE rows (a)")


def _newer(path: Path) -> None:
    filled(path)
    edit(path, f"PRAGMA user_version={len(schema.MIGRATIONS) + 1}")


def _truncated(path: Path) -> None:
    filled(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _garbled(path: Path) -> None:
    filled(path)
    content = bytearray(path.read_bytes())
    content[4096 : len(content) : 7] = b"\xff" * len(range(4096, len(content), 7))
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_text, "not an outbox but another file"),
        (_short, "not an outbox but another file"),
        (_foreign, "another program"),
        (_foreign_wal, "another program"),
        (_newer, "newer devinotify"),
        (_truncated, "damaged"),
        (_garbled, "damaged"),
    ],
)
def test_a_wrong_file_is_left_untouched(path: Path, make: Callable[[Path], None], words: str) -> None:
    """A file that is not ours, too new or damaged is an error that names it, and keeps every byte."""
    make(path)
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match=words) as caught:
        Outbox(path)
    assert (before, [path], True) == (path.read_bytes(), list(path.parent.iterdir()), str(path) in str(caught.value))


def test_a_file_that_was_read_by_halves_is_looked_at_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process had begun to use it after it was found to be nobody's, and has ended by then."""
    filled(path)
    whole = path.read_bytes()
    _garbled(path)
    look, seen = recognition._is_whole, []

    def look_and_wait(*arguments: Any) -> bool:  # noqa: ANN401 - as what it stands for
        seen.append(look(*arguments))
        path.write_bytes(whole)  # the other is through with it
        return seen[-1]

    monkeypatch.setattr(recognition, "_is_whole", look_and_wait)
    with Outbox(path) as outbox:
        assert 500 == len(outbox)
    assert [False, True] == seen


def test_a_damaged_file_with_an_open_log_is_left_untouched(path: Path) -> None:
    """Where a crash has left a log beside a damaged file, neither is merged into the other."""
    filled(path)
    process = run_python(path, CRASH_WITH_LOG)
    assert finish(process) == 9
    content = bytearray(path.read_bytes())
    content[4096 : len(content) : 7] = b"\xff" * len(range(4096, len(content), 7))
    path.write_bytes(content)
    log = path.with_name("outbox.db-wal").read_bytes()
    with pytest.raises(InvalidInput, match="damaged"):
        Outbox(path)
    assert (bytes(content), log) == (path.read_bytes(), path.with_name("outbox.db-wal").read_bytes())


CRASH_WITH_LOG = """
import os, sys
from devinotify.models import Message
from devinotify.outbox import Outbox
outbox = Outbox(sys.argv[1])
outbox.enqueue(Message("in the log", ("+79160009999",)))
os._exit(9)
"""


def test_what_is_in_the_log_after_a_crash_is_there(path: Path) -> None:
    """An enqueue whose process died right after it is found again."""
    process = run_python(path, CRASH_WITH_LOG)
    assert finish(process) == 9
    with Outbox(path) as outbox:
        assert "in the log" == claim(outbox).message.text


def test_a_log_that_holds_a_newer_format_is_refused(path: Path) -> None:
    """A newer version's upgrade that only stands in the log is noticed too."""
    filled(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as newer:
        newer.execute("PRAGMA user_version=99")
        with pytest.raises(InvalidInput, match="format 99"):
            Outbox(path)


def test_counting_sorts_nothing(path: Path) -> None:
    """A million rows are counted as they are read: sorted by their states first, they would take 40 MB of memory."""
    asked: list[str] = []
    with Outbox(path) as outbox:
        connection = database_of(outbox).connection
        connection.set_trace_callback(asked.append)
        outbox.counts()
        connection.set_trace_callback(None)
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {each}").fetchall() for each in asked if "FROM rows" in each]
    assert (1, False) == (len(plans), "B-TREE" in str(plans))


def test_a_recipient_with_a_zero_in_it_is_kept_whole(path: Path) -> None:
    """SQLite's own functions end a text there: whoever was given is who is told of."""
    given = ("+79160000001", "a\0b", "+79160000002")
    with Outbox(path) as outbox:
        assert (
            given
            == tuple(row.recipient for row in outbox.enqueue(message(*given)))
            == tuple(row.recipient for row in outbox)
        )


@pytest.mark.parametrize("shortest", ["+791600", "+7916000", "+07916000"])
def test_what_a_campaign_is_fed_stands_as_one_recipient_would(path: Path, shortest: str) -> None:
    """A number as an integer, half the size; one that is too short for that, or is none, as its text."""
    given = ("+79160000001", shortest, "+79160000002")
    with Outbox(path) as outbox:
        outbox.extend(outbox.register(message()), given)
        stored = [each for (each,) in database_of(outbox).connection.execute("SELECT recipient FROM rows ORDER BY id")]
        assert ([encode_recipient(each) for each in given], given) == (stored, tuple(row.recipient for row in outbox))


@pytest.mark.parametrize("where", ["missing/outbox.db", ".", "file/outbox.db"])
def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path, where: str) -> None:
    """A missing folder, a folder in place of a file, and a file in place of a folder are told at once."""
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match=str(tmp_path)):
        Outbox(tmp_path / where)


def test_a_device_is_no_outbox() -> None:
    """Only a regular file will do."""
    with pytest.raises(InvalidInput, match="regular"):
        Outbox("/dev/null")


@pytest.mark.parametrize("mode", [0o400, 0o200])
def test_a_file_without_rights_is_an_error(path: Path, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read and written is told at once; root may do all, so it is asked as if it might not."""
    filled(path)
    path.chmod(mode)
    monkeypatch.setattr(os, "access", lambda _, how: not how & ~(mode >> 6) & 7)
    with pytest.raises(InvalidInput, match="cannot be written"):
        Outbox(path)


def test_a_folder_without_rights_is_an_error(tmp_path: Path) -> None:
    """Someone who may not write to the folder is told so, by a real refusal of the system."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    tmp_path.chmod(0o755)
    code = "from devinotify.outbox import Outbox; Outbox('outbox.db')"
    prelude = (
        # Loaded before: what Python itself stands in may be hidden from nobody.
        "import os, sys; import devinotify.outbox.sqlite.store; os.chdir(sys.argv[1]);"
        " os.setuid(65534) if not os.getuid() else 0; "
    )
    done = subprocess.run(
        [sys.executable, "-c", prelude + code, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (1, True) == (done.returncode, "InvalidInput: outbox" in done.stderr)


def test_an_empty_file_becomes_an_outbox(path: Path) -> None:
    """A file that someone has only touched is used."""
    path.touch()
    with Outbox(path) as outbox:
        assert 0 == len(outbox)


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    """Characters that mean something in a URI are part of the name."""
    path = tmp_path / "a b?c#d%20é.db"
    with Outbox(path) as outbox:
        outbox.enqueue(message())
    assert path.exists()


def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde is the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with Outbox("~/outbox.db") as outbox:
        assert str(tmp_path / "outbox.db") == outbox.name


def test_two_outboxes_of_one_process_share_a_file(path: Path) -> None:
    """A second one in the same process opens the file without disturbing the first one's locks."""
    with Outbox(path) as first, Outbox(path) as second:
        first.enqueue(message())
        assert 1 == len(second)
        second.close()
        other = run_python(
            path, "import sys, sqlite3; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1'); c.close()"
        )
        assert 0 == finish(other)
        first.enqueue(message())
        assert 2 == len(first)


def test_a_creation_cut_short_is_mended(path: Path) -> None:
    """Where a process died while it made the file, the next one makes it."""
    process = run_python(path, DIE_WHILE_CREATING)
    assert finish(process) == 9
    assert path.exists()
    with Outbox(path) as outbox:
        assert 1 == len(outbox.enqueue(message()))


DIE_WHILE_CREATING = """
import os, sys
from pathlib import Path
from devinotify.outbox.sqlite import schema
from devinotify.outbox.sqlite.database import Database
def statements():
    yield from schema._VERSION_1[:5]
    os._exit(9)
Database(Path(sys.argv[1]), migrations=[statements()])
"""


def test_an_older_file_is_upgraded(path: Path) -> None:
    """A file of the version before keeps what it holds and gets what is new."""
    with Outbox(path) as outbox:
        outbox.enqueue(message())
    newer = (*schema.MIGRATIONS, ("CREATE TABLE extra (a)",))
    for _ in range(2):  # and it is not taken for a stranger's, once it is of the newer version
        with contextlib.closing(Database(path, migrations=newer)) as database:
            assert (1,) == database.connection.execute("SELECT count(*) FROM intake WHERE id > 0").fetchone()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone()[0]
    assert (len(newer), 1) == (version, tables)


def test_an_upgrade_that_fails_changes_nothing(path: Path) -> None:
    """A step that cannot be made leaves the file at its version, with all it holds."""
    filled(path)
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match=r"outbox\.db"):
        Database(path, migrations=(*schema.MIGRATIONS, ("CREATE TABLE extra (a)", "no SQL at all")))
    assert before == path.read_bytes()
    with Outbox(path) as outbox:
        assert 500 == len(outbox)


@pytest.mark.once
def test_two_create_the_file_at_once(path: Path) -> None:
    """Processes that start together on a new file all get it."""
    code = "import sys; from devinotify.outbox import Outbox; input(); Outbox(sys.argv[1]).remember(sys.argv[2], 'x')"
    processes = [run_python(path, code, str(number)) for number in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [0] * 4 == [finish(process) for process in processes]
    with Outbox(path) as outbox:
        assert ["x"] * 4 == [outbox.recall(str(number)) for number in range(4)]


def test_the_log_waits_for_others(path: Path) -> None:
    """Where another process still reads while the log is switched on, the switch waits for it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as reader:
        reader.execute("CREATE TABLE a (b)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM a").fetchall()
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            release = threading.Timer(0.05, lambda: reader.execute("COMMIT"))
            release.start()
            use_wal(connection, path, 30)
            ended(release)
            assert "wal" == connection.execute("PRAGMA journal_mode").fetchone()[0]


def test_the_log_does_not_wait_for_ever(path: Path) -> None:
    """Where the reader stays, the error comes out after the time that is set for it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("CREATE TABLE a (b)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM a").fetchall()
        with (
            contextlib.closing(sqlite3.connect(path, timeout=0)) as connection,
            pytest.raises(sqlite3.OperationalError),
        ):
            use_wal(connection, path, 0.02)


def test_a_place_without_a_log_is_refused(path: Path) -> None:
    """Where SQLite cannot keep its log, as in memory, that is an error."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection, pytest.raises(InvalidInput, match="log"):
        use_wal(connection, path, 0.02)


def test_a_file_that_is_being_made_elsewhere_is_waited_for(path: Path) -> None:
    """Where another process keeps a file that is still empty to itself, the error says that it is locked."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(InvalidInput, match="locked"):
            SqliteStore(path, busy_timeout=0.02)


def test_a_vanished_file_is_not_made_anew(path: Path) -> None:
    """A connection that has to be opened again does not begin an empty file in silence."""
    outbox = Outbox(path)
    database_of(outbox).disconnect()
    path.unlink()
    outbox.enqueue(message())  # the file is made again by the same steps as at first
    assert 1 == len(outbox)
    outbox.close()


def _limit_pages(outbox: Outbox, extra: int) -> None:
    """Let the file grow by so many pages and no more: SQLite then says what it says of a full disk."""
    connection = database_of(outbox).connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + extra}")


def fill(outbox: Outbox) -> tuple[int, DevinotifyError]:
    """Enqueue until there is no more room; return how many went in and what was raised then."""
    for stored in range(1_000_000):
        try:
            outbox.enqueue(message(text="x" * 1000))
        except DevinotifyError as error:
            return stored, error
    raise AssertionError("the disk has no end")


def test_a_full_disk_loses_nothing_on_enqueue(path: Path) -> None:
    """When the disk fills up, enqueue raises, and what was taken before is all there."""
    with Outbox(path) as outbox:
        _limit_pages(outbox, 20)
        stored, error = fill(outbox)
        with pytest.raises(DevinotifyError, match="disk is full"):
            outbox.enqueue(message(*numbers(5000)))
        assert (Verdict.NOT_SENT, True, "outbox.enqueue") == (error.verdict, error.retryable, error.operation)
        _limit_pages(outbox, 10_000)
        assert (stored, True) == (len(outbox), stored > 0)


def test_a_full_disk_loses_nothing_on_settle(path: Path) -> None:
    """When the disk fills up, settle raises, and settles the same batch once there is room again."""
    with Outbox(path) as outbox:
        outbox.enqueue(message(*numbers(2000)))
        batch = claim(outbox, 2000)
        _limit_pages(outbox, 0)
        with pytest.raises(DevinotifyError, match="disk is full") as caught:
            outbox.settle(batch, accepted(batch))
        assert (Verdict.UNKNOWN, 2000) == (caught.value.verdict, outbox.counts().claimed)
        _limit_pages(outbox, 10_000)
        outbox.settle(batch, accepted(batch))
        assert 2000 == outbox.counts().accepted


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=False, capture_output=True, timeout=60
    )
    if mounted.returncode:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=60)


def test_a_disk_that_is_really_full(tiny_disk: Path) -> None:
    """On a real full disk everything that enqueue returned is there, and is sent once there is room."""
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * 7_500_000)
    with Outbox(tiny_disk / "outbox.db") as outbox:
        stored, error = fill(outbox)
        ballast.unlink()
        assert (True, stored, True) == (stored > 10, outbox.counts().queued, "disk is full" in str(error))
        while batch := outbox.claim():
            outbox.settle(batch, accepted(batch))
        assert stored == outbox.counts().accepted


def test_a_file_size_limit_is_an_error_of_the_disk(path: Path) -> None:
    """Where the system refuses to let the file grow, the error says so and nothing is lost."""
    code = """
import resource, sys
from devinotify.exceptions import DevinotifyError
from devinotify.models import Message
from devinotify.outbox import Outbox
outbox = Outbox(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
stored = 0
try:
    while True:
        outbox.enqueue(Message("x" * 1000, ("+79161234567",)))
        stored += 1
except DevinotifyError as error:
    print("disk" in str(error), stored > 10, stored == outbox.counts().queued)
"""
    assert "True True True\n" == run_python(path, code).communicate(timeout=60)[0]


def test_a_locked_file_is_told(path: Path) -> None:
    """Where another process keeps the file to itself for too long, the error says so and may be retried."""
    store = SqliteStore(path, busy_timeout=0.05)
    with Outbox(store) as outbox, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DevinotifyError, match="SQLITE_BUSY") as caught:
            outbox.enqueue(message())
        assert (True, False) == (caught.value.retryable, NUMBER in str(caught.value))


def test_damage_that_shows_later_is_told(path: Path) -> None:
    """Where a table is gone, the error names the file and no SQL."""
    with Outbox(path) as outbox:
        outbox.enqueue(message())
        list(outbox)
        edit(path, "DROP TABLE rows")
        with pytest.raises(DevinotifyError, match="SQLite failed") as caught:
            outbox.counts()
        assert "SELECT" not in str(caught.value)


def test_threads_share_an_outbox(path: Path) -> None:
    """Many threads enqueue, claim and settle at once, and every row is sent once."""
    with Outbox(path) as outbox:
        sent: list[int] = []

        def work(number: int) -> None:
            for index in range(50):
                outbox.enqueue(message(text=f"{number} {index}"))
                batch = outbox.claim(3)
                if batch is not None:
                    sent.extend(row.id for row in batch.rows)
                    outbox.settle(batch, accepted(batch))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        ended(*threads)
        while batch := outbox.claim():
            sent.extend(row.id for row in batch.rows)
            outbox.settle(batch, accepted(batch))
        assert (list(range(1, 201)), 200) == (sorted(sent), outbox.counts().accepted)


@pytest.mark.parametrize("fields", [{"text": "half \ud83d"}, {"title": "half \ud83d"}])
def test_half_a_character_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    """No file can keep it: nothing is stored, alone or of many, and the text is not shown."""
    with Outbox(tmp_path / "o.db") as outbox:
        for recipients in (numbers(1), numbers(2)):
            with pytest.raises(InvalidInput, match=r"cannot keep what was given \(half a character\)") as told:
                outbox.enqueue(replace(message(*recipients), **fields))
            assert "half \ud83d" not in str(told.value)
        assert 0 == len(outbox)
