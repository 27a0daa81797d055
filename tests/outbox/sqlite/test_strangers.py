"""Links, swapped files, other people's: nothing of ours follows a link it did not make or changes what is not ours."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import DevinotifyError, InvalidInput, Verdict
from devinotify.outbox import Outbox
from devinotify.outbox.sqlite import locks
from tests.outbox.support import accepted, claim, message, numbers

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of an outbox with a queued row."""
    found = tmp_path / "outbox.db"
    with Outbox(found) as outbox:
        outbox.enqueue(message(*numbers(3)))
    return found


# --- links


def test_a_worker_that_came_by_a_link_is_alive(path: Path, tmp_path: Path) -> None:
    """Its lock stands beside the file itself, whichever way the file was found."""
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(path)
    with Outbox(link) as by_link, Outbox(path) as other:
        claim(by_link, 1)
        assert (0, True, 1, str(path)) == (
            other.recover(),
            other.senders_alive(),
            other.counts().claimed,
            by_link.name,
        )
    assert ["link.db"] == [each.name for each in link.parent.iterdir()]


def test_a_folder_may_be_a_link(path: Path, tmp_path: Path) -> None:
    """A folder that leads to the file's is the same place."""
    (tmp_path / "folder").symlink_to(tmp_path, target_is_directory=True)
    with Outbox(tmp_path / "folder" / "outbox.db") as outbox:
        assert str(path) == outbox.name


def test_a_link_to_nothing_makes_nothing(tmp_path: Path) -> None:
    """What somebody has planted does not decide where a file is made."""
    link = tmp_path / "outbox.db"
    link.symlink_to(tmp_path / "target.db")
    with pytest.raises(InvalidInput, match="is a link"):
        Outbox(link)
    assert [link] == list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_a_link_beside_the_file_is_not_followed(path: Path, tmp_path: Path, ending: str) -> None:
    """A stranger's file behind it keeps its mode and its bytes."""
    stranger = tmp_path / "strangers"
    stranger.write_bytes(b"theirs")
    stranger.chmod(0o644)
    (tmp_path / f"outbox.db{ending}").symlink_to(stranger)
    with pytest.raises(InvalidInput, match=f"outbox.db{ending} beside it is a link"):
        Outbox(path)
    assert (b"theirs", 0o644) == (stranger.read_bytes(), stat.S_IMODE(stranger.stat().st_mode))


def test_a_file_of_another_user_keeps_its_mode(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to it has not therefore a say in who else may."""
    path.chmod(0o660)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with Outbox(path):
        assert 0o660 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_only_looks_like_a_lock_is_left_alone(path: Path, tmp_path: Path, kind: str) -> None:
    """Neither a link nor a pipe in a worker's place is opened, waited for or removed."""
    planted = tmp_path / "outbox.db-worker-planted"
    if kind == "link":
        planted.symlink_to(path)
    else:
        os.mkfifo(planted)
    with Outbox(path) as outbox:
        assert (0, True) == (outbox.recover(), os.path.lexists(planted))


# --- files that vanish or are swapped


def _removed(path: Path) -> None:
    path.unlink()


def _swapped(path: Path) -> None:
    copy = path.with_name("backup.db")
    with Outbox(copy) as other:
        other.enqueue(message(text="of the backup"))
    copy.replace(path)


@pytest.mark.parametrize("change", [_removed, _swapped])
@pytest.mark.parametrize("found", [True, False])
def test_a_file_that_is_changed_under_a_worker_is_noticed(
    path: Path, change: Callable[[Path], None], found: bool
) -> None:
    """Nothing is sent from a file that others do not see any more, and no row goes there."""
    outbox = Outbox(path)
    batch = claim(outbox)
    if found:
        outbox.settle(batch, accepted(batch))
        assert outbox.claim() is None
    change(path)
    for use in (outbox.claim, lambda: outbox.enqueue(message(*numbers(2))), lambda: outbox.begin(message())):
        with pytest.raises(DevinotifyError, match="removed or replaced") as caught:
            use()
        assert (Verdict.NOT_SENT, False) == (caught.value.verdict, caught.value.retryable)
    outbox.close()


def test_a_single_message_does_not_go_to_a_file_that_is_gone(path: Path) -> None:
    """Its sender is told that it is not stored."""
    with Outbox(path) as outbox:
        path.unlink()
        with pytest.raises(DevinotifyError, match="removed or replaced"):
            outbox.enqueue(message())


def test_what_was_sent_is_written_down_where_it_was_claimed(path: Path) -> None:
    """The file may only have been moved away: it has the truth."""
    with Outbox(path) as outbox:
        batch = claim(outbox)
        shutil.move(path, path.with_name("moved.db"))
        outbox.settle(batch, accepted(batch))
        assert 3 == outbox.counts().accepted


def test_closing_leaves_the_log_of_the_new_file_alone(path: Path) -> None:
    """What others have written to the file that stands there now is there afterwards."""
    outbox = Outbox(path)
    claim(outbox)
    for each in path.parent.glob("outbox.db*"):
        each.unlink()
    with Outbox(path) as new:
        new.enqueue(message(text="new"))
        outbox.close()
        with Outbox(path) as third:
            assert (1, 1) == (len(new), len(third))
        assert path.with_name("outbox.db-wal").exists()


# --- descriptors and locks


DESCRIPTORS = Path("/proc/self/fd")


def _descriptors() -> list[str]:
    return sorted(str(each.resolve()) for each in DESCRIPTORS.iterdir() if each.exists())


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="asks Linux")
@pytest.mark.parametrize("damage", ["none", "error", "text", "wal"])
def test_no_descriptor_stays_open(path: Path, tmp_path: Path, damage: str) -> None:
    """After every close, and where a file could not be opened at all."""
    if damage == "text":
        path.write_text("something else" * 20)
    if damage == "wal":
        path.with_name("outbox.db-wal").symlink_to(tmp_path)
    before = _descriptors()
    try:
        with Outbox(path) as outbox:
            claim(outbox)
            outbox.recover()
            outbox.senders_alive()
            if damage == "error":
                outbox.forget([1])
    except InvalidInput:
        assert damage != "none"
    assert before == _descriptors()


def test_a_child_does_not_keep_a_lock_that_was_being_asked(path: Path) -> None:
    """A dead worker that is asked after while a process forks is not kept alive by the child."""
    lease = locks.Lease(path)
    name = lease.worker
    locks._held.files.discard(lease._file)
    lease._file.close()  # as if its process had ended
    asked = locks.StaleLock(path, name)
    assert asked.free
    reader, writer = os.pipe()
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(writer)
        os.write(tell, b"!")
        os.read(reader, 1)  # until the parent is done
        os._exit(0)
    os.read(told, 1)
    try:
        asked.close(remove=False)
        again = locks.StaleLock(path, name)
        assert again.free
        again.close(remove=True)
    finally:
        os.close(writer)
        os.waitpid(child, 0)
        for each in (reader, told, tell):
            os.close(each)
