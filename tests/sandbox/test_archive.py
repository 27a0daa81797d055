"""Messages in a file: what outlives the sandbox, and files that cannot be used."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from devinotify import Client
from devinotify.sandbox import Sandbox
from devinotify.sandbox.archive import Archive, ArchiveError
from devinotify.sandbox.clock import Clock
from tests.sandbox.conftest import NUMBER, START

if TYPE_CHECKING:
    from pathlib import Path

LONG = "я" * 71


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the path of a file that is not there yet."""
    return tmp_path / "inbox.db"


def opened(file: Path, keep: int = 100) -> Sandbox:
    """Return a sandbox on the file, whose clock stands."""
    return Sandbox(db=file, keep=keep, clock=Clock(running=False, start=START))


def test_messages_outlive_the_sandbox(file: Path) -> None:
    """A new sandbox on the file shows what the last one had, to the last field, and goes on counting."""
    with opened(file) as first, Client(first.url) as client:
        client.sms.send(NUMBER, LONG)
        client.viber.send_with_resend("79000000024", "Привет")
        first.advance(7200)
        first.add_incoming("да", NUMBER)
        before = (first.messages(), first.incoming(), first.now)
    with opened(file) as second, Client(second.url) as client:
        assert before == (second.messages(), second.incoming(), second.now)
        client.sms.send(NUMBER, "4")
        assert [1, 2, 3, 4] == [message.number for message in second.messages()]


def test_states_and_requests_are_kept(file: Path) -> None:
    """A message can be asked for by its id as ever, and shows the request that brought it."""
    with opened(file) as first, Client(first.url) as client:
        receipt = client.sms.send(NUMBER, "test")
        first.force(1, "expired")
        shown = first._ask("GET", "/message", number=1)["request"]
    with opened(file) as second, Client(second.url) as client:
        assert "expired" == client.sms.state(receipt.message_ids[0]).status
        assert (shown, 200) == (second._ask("GET", "/message", number=1)["request"], shown["status"])


def test_a_resend_that_was_due_is_made(file: Path) -> None:
    """A Viber message that fails while nobody runs is resent by the next sandbox."""
    with opened(file) as first, Client(first.url) as client:
        client.viber.send_with_resend("79000000024", "Привет")
    with opened(file) as second:
        second.advance(60)
        assert [("viber", 2, None), ("sms", None, 1)] == [
            (message.channel, message.resent_as, message.resent_from) for message in second.messages()
        ]


def test_the_oldest_are_pruned(file: Path) -> None:
    """The file holds no more than what is kept, and no request that brought none of it."""
    with opened(file, keep=3) as first, Client(first.url) as client:
        for number in range(5):
            client.sms.send(NUMBER, str(number))
            first.add_incoming(str(number), NUMBER)
    with opened(file, keep=2) as second:
        assert (["3", "4"], ["3", "4"]) == (
            [message.text for message in second.messages()],
            [message.text for message in second.incoming()],
        )
    with sqlite3.connect(file) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - constants
            for table in ("message", "request", "incoming")
        ]
    connection.close()
    assert [2, 2, 3] == counts


def test_what_is_deleted_is_gone(file: Path) -> None:
    """Deleting one, all, and resetting reach the file."""
    with opened(file) as first, Client(first.url) as client:
        for number in range(3):
            client.sms.send(NUMBER, str(number))
        first.delete(2)
    with opened(file) as second:
        assert ["0", "2"] == [message.text for message in second.messages()]
        second.delete()
        second.add_incoming("да", NUMBER)
        second.reset()
    with opened(file) as third:
        assert ([], []) == (third.messages(), third.incoming())


def test_no_secret_is_in_the_file(file: Path) -> None:
    """Neither the password nor a session id is written."""
    with Sandbox(db=file, password="hunter2-hunter2") as sandbox, Client(sandbox.url) as client:
        client.sms.send(NUMBER, "a text that is kept")
        digests = client._session
    written = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert [True, False] == [words in written for words in (b"a text that is kept", b"hunter2")]
    assert digests is not None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_only_its_owner_may_read_it(file: Path) -> None:
    """Texts and numbers are nobody else's business."""
    with opened(file):
        assert 0o600 == stat.S_IMODE(file.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_mode_of_a_file_that_was_there_stays(file: Path) -> None:
    """Whoever let others read the file meant it; an empty file that somebody made is theirs as well."""
    file.touch()
    for mode in (0o644, 0o664):
        file.chmod(mode)
        with opened(file) as sandbox:
            sandbox.add_incoming("да", NUMBER)
            assert mode == stat.S_IMODE(file.stat().st_mode)
        assert mode == stat.S_IMODE(file.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_an_umask_changes_nothing(file: Path) -> None:
    """A file that is made is its owner's to read and write, whatever the umask takes away or leaves."""
    modes = []
    for mask in (0, 0o777):
        before = os.umask(mask)
        try:
            Archive(file).close()
        finally:
            os.umask(before)
        modes.append(stat.S_IMODE(file.stat().st_mode))
        file.unlink()
    assert [0o600, 0o600] == modes


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own there")
@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("exists", [True, False])
def test_no_link_is_followed(file: Path, tmp_path: Path, end: str, exists: bool) -> None:
    """A link in the file's place, or beside it, is refused, and what it leads to is as it was."""
    target = tmp_path / "somebody's"
    if exists:
        target.touch(0o640)
    file.with_name(file.name + end).symlink_to(target)
    with pytest.raises(ArchiveError, match=rf"inbox\.db{end} is a link, which is not followed"):
        opened(file).start()
    assert exists == target.exists()
    if exists:
        assert (0, 0o640) == (target.stat().st_size, stat.S_IMODE(target.stat().st_mode) & 0o640)


def test_a_link_to_its_folder_is_the_users_own(tmp_path: Path) -> None:
    """The folders on the way may be links: whoever can change those can do anything."""
    (tmp_path / "real").mkdir()
    (tmp_path / "short").symlink_to(tmp_path / "real", target_is_directory=True)
    with opened(tmp_path / "short" / "inbox.db"):
        assert (tmp_path / "real" / "inbox.db").is_file()


def test_what_is_not_a_file(tmp_path: Path) -> None:
    """A folder, or a pipe that would never answer, is refused."""
    with pytest.raises(ArchiveError, match="not a file"):
        Archive(tmp_path)


def test_one_sandbox_at_a_time(file: Path) -> None:
    """A file that another sandbox has is refused, and the port is given back."""
    with opened(file):
        other = opened(file)
        with pytest.raises(ArchiveError, match="another sandbox has it open"):
            other.start()
        assert "<Sandbox not running>" == repr(other)


def test_another_programs_file(file: Path) -> None:
    """A database of another program is left alone."""
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(ArchiveError, match="another program's"):
        Archive(file)


def test_a_newer_versions_file(file: Path) -> None:
    """A database of a version to come is left alone."""
    Archive(file).close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ArchiveError, match="version 99"):
        Archive(file)


def test_no_database_at_all(file: Path) -> None:
    """A file that is something else is refused."""
    file.write_text("no database at all, but long enough to be taken for one " * 20, encoding="ascii")
    with pytest.raises(ArchiveError, match="not an SQLite file"):
        Archive(file)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Where the file cannot be made, the error is the system's."""
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "nowhere" / "inbox.db").start()


def test_an_older_versions_file(file: Path) -> None:
    """What the version before wrote is taken up, unread and without tags, and can be marked from then on."""
    with opened(file) as first, Client(first.url) as client:
        client.sms.send(NUMBER, "test")
        before = first.messages()
    connection = sqlite3.connect(file)
    connection.executescript(
        "DROP TRIGGER forget_refused_request; DROP TABLE refused; ALTER TABLE request DROP COLUMN took;"
        + "".join(f"ALTER TABLE message DROP COLUMN {name};" for name in ("read", "tags", "released", "answered"))
        + "PRAGMA user_version = 1;"
    )
    connection.close()
    with opened(file) as second:
        (entry,) = second.inbox()
        assert (before, False, ()) == (second.messages(), entry.read, entry.tags)
        second._ask("POST", "/inbox", read=True)
    with opened(file) as third:
        assert [True] == [entry.read for entry in third.inbox()]
