"""A claim reaches the disk before it is given out, and holds nobody up on its way there."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.outbox import Outbox, RowState
from devinotify.outbox.sqlite import database
from devinotify.outbox.sqlite.database import Database
from devinotify.outbox.sqlite.store import SqliteStore
from tests.outbox.support import accepted, message, numbers
from tests.waiting import LONGEST, ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKERS = 4


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An outbox with two messages of two recipients each."""
    with Outbox(tmp_path / "outbox.db") as outbox:
        for start in (79160000000, 79260000000):
            outbox.enqueue(message(*numbers(2, start)))
        yield outbox


def reaching(monkeypatch: pytest.MonkeyPatch, reach: Callable[[int], None]) -> None:
    """Have ``reach`` called in place of the wait for the disk."""
    monkeypatch.setattr(database, "_reach_disk", reach)


def test_what_is_claimed_is_on_the_disk(outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power failure right after the last wait for the disk leaves the batch claimed: nobody else sends it."""
    copies: list[Path] = []

    def reach(log: int) -> None:
        assert os.path.samestat(os.fstat(log), Path(f"{outbox.name}-wal").stat())
        copy = tmp_path / f"copy{len(copies)}" / "outbox.db"
        copy.parent.mkdir()
        for end in ("", "-wal"):
            shutil.copy(f"{outbox.name}{end}", f"{copy}{end}")
        copies.append(copy)

    reaching(monkeypatch, reach)
    batch = outbox.claim()
    assert batch is not None
    with Outbox(copies[-1]) as left:
        assert {row.recipient for row in left.rows(states={RowState.CLAIMED})} == set(batch.message.recipients)
    outbox.settle(batch, accepted(batch))
    assert len(copies) == 1


def test_others_go_on_while_a_claim_reaches_the_disk(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others claim, settle and store does not wait for it."""
    found: list[RowState] = []

    def others() -> None:
        batch = outbox.claim()
        assert batch is not None
        found.extend(outbox.settle(batch, accepted(batch)).values())
        outbox.enqueue(message(*numbers(2, 79360000000)))

    def reach(_: int) -> None:
        if threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=others)
            other.start()
            ended(other)

    reaching(monkeypatch, reach)
    assert outbox.claim() is not None
    assert found == [RowState.ACCEPTED] * 2


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(OSError(errno.EIO, "Input/output error"), DevinotifyError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_what_does_not_reach_the_disk_is_queued_again(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, failure: BaseException, raised: type[BaseException]
) -> None:
    """It is told, nothing of it was sent, and the next claim takes it as if nothing had been tried."""

    def reach(_: int) -> None:
        raise failure

    with monkeypatch.context() as patch:
        reaching(patch, reach)
        with pytest.raises(raised) as caught:
            outbox.claim()
    if isinstance(caught.value, DevinotifyError):
        assert (caught.value.verdict, caught.value.retryable) == (Verdict.NOT_SENT, True)
    assert outbox.counts().queued == outbox.counts().total
    batch = outbox.claim()
    assert batch is not None
    assert [row.attempts for row in batch.rows] == [1, 1]


def test_a_claim_whose_disk_fails_for_good_is_unknown(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be put back there: who comes later is told that it may have been sent, and it is not sent again."""

    def write(*_: object, **__: object) -> None:
        raise DevinotifyError("the disk is gone", verdict=Verdict.UNKNOWN)

    def reach(_: int) -> None:
        monkeypatch.setattr(Database, "write", write)
        raise OSError(errno.EIO, "Input/output error")

    reaching(monkeypatch, reach)
    with pytest.raises(DevinotifyError, match="the disk cannot be read or written"):
        outbox.claim()
    monkeypatch.undo()
    outbox.close()
    with Outbox(outbox.name) as later:
        later.recover()
        assert later.counts().unknown == 2


def test_a_claim_that_finds_nothing_asks_once(tmp_path: Path) -> None:
    """One transaction says that nothing is due, and the next claim only reads."""
    store, begun = SqliteStore(tmp_path / "outbox.db"), []
    with Outbox(store) as outbox:
        outbox.enqueue(message(*numbers(2)))
        assert outbox.claim() is not None
        connection = store.database.connection
        connection.set_trace_callback(lambda asked: begun.append(asked) if asked.startswith("BEGIN") else None)
        assert (outbox.claim(), len(begun)) == (None, 1)
        assert (outbox.claim(), len(begun)) == (None, 1)
        connection.set_trace_callback(None)


def test_a_part_of_a_list_takes_turns_with_those_who_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its turn as each step of theirs does, and while it does so it holds up nobody who has one."""
    store = SqliteStore(tmp_path / "outbox.db")
    with Outbox(store) as outbox:
        number = outbox.register(message(*numbers(1)))
        turns: list[bool] = []

        def take() -> None:
            lock = store.database.lock
            turns.append(lock.acquire(blocking=False))
            lock.release()

        class Observed:
            """The turn, and whether the file is free as it is taken."""

            def __enter__(self) -> None:
                taker = threading.Thread(target=take)
                taker.start()
                ended(taker)

            def __exit__(self, *_: object) -> None: ...

        with monkeypatch.context() as patch:  # a fork, of another test's, needs the whole lock
            patch.setattr(store.database.turn, "lock", Observed())
            assert outbox.extend(number, numbers(3)) == 3
        assert turns == [True]


def test_a_fork_waits_for_a_step(tmp_path: Path) -> None:
    """Its child claims what is left, whatever steps threads of its parent were at."""
    with Outbox(tmp_path / "outbox.db") as outbox:
        for start in range(200):
            outbox.enqueue(message(*numbers(2, 79160000000 + 10 * start)))
        begun = threading.Barrier(WORKERS + 1)

        def work() -> None:
            begun.wait(LONGEST)
            for _ in range(20):
                batch = outbox.claim()
                assert batch is not None
                outbox.settle(batch, accepted(batch))

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        begun.wait(LONGEST)
        for _ in range(5):
            child = os.fork()
            if not child:
                signal.alarm(60)  # one that waits for ever ends
                os._exit(0 if outbox.claim() else 1)
            assert os.waitpid(child, 0)[1] == 0
        ended(*threads)
